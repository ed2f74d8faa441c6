import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import type { RevisionReader } from '#controller/ports.ts'
import { createWorkerReader, type WorkerReader, type WorkerReaderOptions } from '#controller/read-in-worker.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import type { Revision } from '#source/revision.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const exampleFiles = new Map(
	readdirSync(example).map((name) => [name, readFileSync(join(example, name)) as Uint8Array]),
)
const basics = { clock: systemClock, log: silentLog }
const opened: WorkerReader[] = []
afterEach(async () => {
	for (const reader of opened.splice(0)) await reader.close()
})

function readerOf(options: Partial<WorkerReaderOptions> = {}): RevisionReader {
	const reader = createWorkerReader({ ...basics, ...options })
	opened.push(reader)
	return reader.read
}

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
	const outcome = await readerOf()(revisionOf(exampleFiles), 'run')
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
		const outcome = await readerOf()(revisionOf(files), 'run')
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
		expect((await readerOf()(revisionOf(files), 'leave')).kind).toBe('ok')
	})
})

test('the bytes of the revision stay with their owner', async () => {
	const bytes = new TextEncoder().encode('kind: Nothing')
	await readerOf()(revisionOf(new Map([['a.yaml', bytes]])), 'run')
	expect(bytes.byteLength).toBe(13)
})

test('findings come with their place', async () => {
	const broken = new Map(exampleFiles).set('mesh.yaml', new TextEncoder().encode('a: [1\nb: 2'))
	const outcome = await readerOf()(revisionOf(broken), 'run')
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
	const outcome = await readerOf()(revisionOf(files.set('e.yaml', hostile)), 'run')
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
		const read = readerOf({ deadlineMs, entry: entryOf(programs[how]) })
		const outcome = await read(revisionOf(new Map()), 'run')
		const [finding] = outcome.kind === 'refused' ? outcome.diagnostics : []
		expect(finding?.code).toBe(code)
		expect(finding?.message).toContain(words)
	})

	test('it takes too much memory', async () => {
		const read = readerOf({ heapMb: 16, entry: entryOf(programs.hoards) })
		const outcome = await read(revisionOf(new Map()), 'run')
		const [finding] = outcome.kind === 'refused' ? outcome.diagnostics : []
		expect(finding).toMatchObject({ code: 'SL0007', message: 'reading this revision takes more than 16 MB of memory' })
	})
})

test('revisions are read one after the other, in order', async () => {
	const read = readerOf()
	const ended: string[] = []
	const broken = new Map([['a.yaml', new TextEncoder().encode('a: [')]])
	await Promise.all([
		read(revisionOf(exampleFiles), 'run').then(() => ended.push('first')),
		read(revisionOf(broken), 'run').then(() => ended.push('second')),
	])
	expect(ended).toEqual(['first', 'second'])
})

describe('a worker is kept for the next revision', () => {
	/** Says of each revision how many it has read; a revision with a file that is called so makes it fail. */
	const counts = entryOf(`
		import { parentPort } from 'node:worker_threads'
		let read = 0
		parentPort.on('message', ({ files }) => {
			read += 1
			if (files.has('throw') && read > 1) throw new Error('poisoned')
			if (files.has('spin')) for (;;);
			if (files.has('leave')) process.exit(3)
			parentPort.postMessage({ kind: 'refused', diagnostics: [{ message: String(read) }] })
		})`)
	const named = (...names: readonly string[]) => revisionOf(new Map(names.map((name) => [name, new Uint8Array()])))

	async function said(read: RevisionReader, revision = named()): Promise<string | undefined> {
		const outcome = await read(revision, 'run')
		return outcome.kind === 'refused' ? outcome.diagnostics[0]?.message : 'a mesh'
	}

	test('which it reads as well', async () => {
		const read = readerOf({ entry: counts })
		expect([await said(read), await said(read), await said(read)]).toEqual(['1', '2', '3'])
	})

	test('and when it fails on one, that is read by another, as if it were the first', async () => {
		const read = readerOf({ entry: counts })
		expect([await said(read), await said(read, named('throw')), await said(read)]).toEqual(['1', '1', '2'])
	})

	test('one on which that fails as well is refused, and the next is read', async () => {
		const read = readerOf({ entry: counts, deadlineMs: 1_000 })
		expect(await said(read)).toBe('1')
		expect(await said(read, named('spin'))).toBe('reading this revision takes longer than 1 s')
		expect(await said(read, named('leave'))).toContain('ended with 3')
		expect(await said(read)).toBe('1')
	})

	test('until none has come for a while', async () => {
		const clock = createManualClock()
		const read = readerOf({ entry: counts, clock })
		expect([await said(read), await said(read)]).toEqual(['1', '2'])
		clock.advance(limits.readerIdleMs - 1)
		expect(await said(read)).toBe('3')
		clock.advance(limits.readerIdleMs)
		expect(await said(read)).toBe('1')
	})

	test('that it is closed ends what it reads', async () => {
		const reader = createWorkerReader({ ...basics, entry: counts })
		const reading = said(reader.read, named('spin'))
		await new Promise((resolve) => setImmediate(resolve))
		await reader.close()
		expect(await reading).toContain('the reader failed on this revision')
		expect(await said(reader.read)).toContain('it was stopped')
	})

	test('what one leaves is of no consequence for the next', async () => {
		const read = readerOf()
		const broken = new Map(exampleFiles).set('mesh.yaml', new TextEncoder().encode('__proto__: { kind: Mesh }'))
		for (const files of [exampleFiles, broken, exampleFiles, new Map(), broken, exampleFiles])
			expect(await read(revisionOf(files), 'run')).toEqual(readMesh(files))
	})
})
