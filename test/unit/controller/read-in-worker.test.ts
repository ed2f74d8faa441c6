import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { createWorkerReader } from '#controller/read-in-worker.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import type { Revision } from '#source/revision.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const exampleFiles = new Map(
	readdirSync(example).map((name) => [name, readFileSync(join(example, name)) as Uint8Array]),
)
const basics = { clock: systemClock, log: silentLog }
/** Ends a worker in a way that its reader must survive. */
const programs = {
	sleeps: 'setInterval(() => undefined, 1000)',
	spins: 'for (;;);',
	throws: 'throw new RangeError("Maximum call stack size exceeded")',
	leaves: 'process.exit(3)',
	hoards: 'const kept = []; for (;;) kept.push(new Array(100_000).fill(0).map(() => ({})))',
}
const entryOf = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`)

function revisionOf(files: ReadonlyMap<string, Uint8Array>): Revision {
	return { id: 'r', author: '', message: '', timeMs: 0, files }
}

test('the outcome is what reading gives here, frozen', async () => {
	const outcome = await createWorkerReader(basics)(revisionOf(exampleFiles), 'run')
	expect(outcome).toEqual(readMesh(exampleFiles))
	if (outcome.kind !== 'ok') throw new Error('the example is valid')
	const { mesh, origins } = outcome
	expect([mesh, mesh.resources, Object.values(mesh.resources)[0]?.spec, origins].every(Object.isFrozen)).toBe(true)
})

describe('expectations', () => {
	const text = new TextDecoder().decode(exampleFiles.get('expectations.yaml'))
	const wrong = text.replace('route: serviceB,', 'noRoute: true } #')
	const files = new Map(exampleFiles).set('expectations.yaml', new TextEncoder().encode(wrong))

	test('that are not fulfilled refuse the revision, at their line', async () => {
		const outcome = await createWorkerReader(basics)(revisionOf(files), 'run')
		expect(outcome.kind === 'refused' ? outcome.diagnostics : []).toMatchObject([
			{
				code: 'SL0401',
				file: 'expectations.yaml',
				line: wrong.split('\n').findIndex((line) => line.includes('noRoute: true } #')) + 1,
				message: expect.stringContaining('the route "serviceB" takes it'),
			},
		])
	})

	test('are left alone where that is asked for', async () => {
		expect((await createWorkerReader(basics)(revisionOf(files), 'leave')).kind).toBe('ok')
	})
})

test('the bytes of the revision stay with their owner', async () => {
	const bytes = new TextEncoder().encode('kind: Nothing')
	await createWorkerReader(basics)(revisionOf(new Map([['a.yaml', bytes]])), 'run')
	expect(bytes.byteLength).toBe(13)
})

test('findings come with their place', async () => {
	const broken = new Map(exampleFiles).set('mesh.yaml', new TextEncoder().encode('a: [1\nb: 2'))
	const outcome = await createWorkerReader(basics)(revisionOf(broken), 'run')
	const codes = outcome.kind === 'refused' ? outcome.diagnostics.map(({ file, code }) => `${file} ${code}`) : []
	expect(codes).toContain('mesh.yaml SL0102')
})

test('a megabyte of hostile YAML is refused, and the main loop turns on meanwhile', async () => {
	const hostile = new TextEncoder().encode('{},'.repeat(limits.fileBytes / 3))
	const files = new Map(
		['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, new TextEncoder().encode(`[${'{},'.repeat(80_000)}]`)]),
	)
	let turns = 0
	let isDone = false
	const turn = () => {
		turns += 1
		if (!isDone) setImmediate(turn)
	}
	turn()
	const outcome = await createWorkerReader(basics)(revisionOf(files.set('e.yaml', hostile)), 'run')
	isDone = true
	expect(outcome.kind).toBe('refused')
	expect(turns).toBeGreaterThan(20)
})

describe('a reader that fails refuses the revision and nothing else:', () => {
	test.for([
		['sleeps', 'SL0007', 'takes longer than 0.2 s'],
		['spins', 'SL0007', 'takes longer than 0.2 s'],
		['throws', 'SL0008', 'Maximum call stack size exceeded'],
		['leaves', 'SL0008', 'ended with 3'],
	] as const)('it %s', async ([how, code, words]) => {
		const deadlineMs = how === 'sleeps' || how === 'spins' ? 200 : 20_000
		const read = createWorkerReader({ ...basics, deadlineMs, entry: entryOf(programs[how]) })
		const outcome = await read(revisionOf(new Map()), 'run')
		const [finding] = outcome.kind === 'refused' ? outcome.diagnostics : []
		expect(finding?.code).toBe(code)
		expect(finding?.message).toContain(words)
	})

	test('it takes too much memory', async () => {
		const read = createWorkerReader({ ...basics, heapMb: 16, entry: entryOf(programs.hoards) })
		const outcome = await read(revisionOf(new Map()), 'run')
		const [finding] = outcome.kind === 'refused' ? outcome.diagnostics : []
		expect(finding).toMatchObject({ code: 'SL0007', message: 'reading this revision takes more than 16 MB of memory' })
	})
})

test('revisions are read one after the other, in order', async () => {
	const read = createWorkerReader(basics)
	const ended: string[] = []
	const broken = new Map([['a.yaml', new TextEncoder().encode('a: [')]])
	await Promise.all([
		read(revisionOf(exampleFiles), 'run').then(() => ended.push('first')),
		read(revisionOf(broken), 'run').then(() => ended.push('second')),
	])
	expect(ended).toEqual(['first', 'second'])
})
