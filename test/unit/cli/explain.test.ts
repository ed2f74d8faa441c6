import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openApi } from '#api/api.ts'
import { silentLog } from '#base/log.ts'
import { exitCodes } from '#cli/exit-codes.ts'
import { createGitRepository } from '../../fakes/git-repository.ts'
import { startInMemory } from '../../fixtures/daemon-in-memory.ts'
import { runInProcess } from '../../fixtures/run-in-process.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const node = ['--node', 'mesh/apps/virtualNode/serviceA']
let folder: string
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'sluice-explain-'))
	cpSync(example, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

async function explain(...parameters: readonly string[]) {
	const { code, out, talk } = await runInProcess(['explain', ...parameters])
	return { code, out: out.join('\n'), talk: talk.join('\n') }
}

const inFolder = (url: string, ...more: readonly string[]) => explain('GET', url, '--path', folder, ...node, ...more)

function changeRoute(change: (text: string) => string): void {
	const file = join(folder, 'route-service-b.yaml')
	writeFileSync(file, change(readFileSync(file, 'utf8')))
}

describe('a folder', () => {
	test('a request that is taken: where it goes, by which route, and where that is written', async () => {
		const { code, out, talk } = await inFolder('http://serviceb.apps.local/x')
		expect([code, talk]).toEqual([0, ''])
		expect(out).toContain('✓ goes to serviceB 100 %, by the route serviceB')
		expect(out).toMatch(new RegExp(`${folder}/route-service-b\\.yaml:\\d+`))
	})

	test('headers decide', async () => {
		changeRoute((text) =>
			text.replace('{ prefix: / }', '{ prefix: /, headers: [{ name: x-a, match: { exact: "1: 2" } }] }'),
		)
		expect((await inFolder('http://serviceb.apps.local/', '-H', 'X-A: 1: 2')).code).toBe(0)
		const without = await inFolder('http://serviceb.apps.local/', '-H', 'x-a: 3', '-H', 'x-b: 1')
		expect(without.code).toBe(exitCodes.notTaken.code)
		expect(without.out).toContain('header x-a is "3"; wanted: exactly "1: 2"')
	})

	test('a mesh that does not fulfil its own expectations is explained all the same: to see why', async () => {
		changeRoute((text) => text.replace('{ prefix: / }', '{ prefix: /other }'))
		const { code, out } = await inFolder('http://serviceb.apps.local/')
		expect(code).toBe(exitCodes.notTaken.code)
		expect(out).toContain('help: the nearest: "serviceB" does not match: path is "/"; wanted: beginning with "/other"')
	})

	test.for(['--json', '-o=json'])('%s is one document', async (flag) => {
		const { code, out } = await inFolder('http://unknown.apps.local/', ...flag.split('='))
		expect(code).toBe(exitCodes.notTaken.code)
		expect(JSON.parse(out)).toMatchObject({
			apiVersion: 'sluice/v1',
			kind: 'Explanation',
			key: null,
			explained: {
				outcome: { kind: 'unknownHost', status: 404, known: expect.arrayContaining(['serviceb.apps.local']) },
			},
		})
	})

	test('steering characters of a request do not reach the terminal', async () => {
		const { out } = await inFolder('http://serviceb.apps.local/', '-H', 'x: 1', '-H', 'host: a\u001b[31m\u202e')
		expect(['\u001b', '\u202e'].filter((character) => out.includes(character))).toEqual([])
		expect(out).toContain('host a\ufffd[31m\ufffd')
	})
})

test('a commit is asked as it was, whatever lies in the folder', async () => {
	const repository = createGitRepository(folder)
	repository.commit({}, 'The mesh')
	changeRoute((text) => text.replace('{ prefix: / }', '{ prefix: /other }'))
	expect((await inFolder('http://serviceb.apps.local/')).code).toBe(exitCodes.notTaken.code)
	expect((await inFolder('http://serviceb.apps.local/', '--commit', 'HEAD')).code).toBe(0)
	const unknown = await inFolder('http://serviceb.apps.local/', '--commit', 'nowhere')
	expect([unknown.code, unknown.talk]).toEqual([exitCodes.badInput.code, expect.stringContaining('no commit nowhere')])
})

describe('what goes wrong', () => {
	test('a mesh with errors is refused, with them', async () => {
		changeRoute((text) => text.replace('match:', 'mach:'))
		const { code, out, talk } = await inFolder('http://serviceb.apps.local/')
		expect([code, out]).toEqual([exitCodes.findings.code, ''])
		expect(talk).toContain('error[SL0204]')
	})

	test.for([
		[['GET', 'http://a/'], 'usage', '--node ID, or --proxy KEY'],
		[['GET', 'http://a/', ...node, '--proxy', 'x'], 'usage', '--node ID, or --proxy KEY'],
		[['GET', 'http://a/', '--node', 'serviceA'], 'usage', 'Write mesh/MESH/virtualNode/NAME'],
		[['GET', 'http://a/', ...node, '-H', 'x'], 'usage', "Write 'name: value'"],
		[['GET', 'nowhere', ...node, '--path', example], 'failed', 'no absolute URL'],
		[['GET', 'http://a/', ...node, '--path', 'nowhere'], 'badInput', 'cannot read nowhere'],
		[
			['GET', 'http://a/', '--node', 'mesh/apps/virtualNode/servieA', '--path', example],
			'failed',
			'did you mean mesh/apps/virtualNode/serviceA?',
		],
		[
			['GET', 'http://a/', '--node', 'mesh/other/virtualGateway/something-else', '--path', example],
			'failed',
			'it has mesh/apps/virtualNode/serviceA, mesh/apps/virtualNode/serviceB',
		],
		[['GET', 'http://a/', '--proxy', 'x', '--http', '127.0.0.1:1'], 'unreachable', 'no Sluice answers'],
	] as const)('%j', async ([parameters, exit, words]) => {
		const { code, talk } = await explain(...parameters)
		expect([code, talk]).toEqual([exitCodes[exit].code, expect.stringContaining(words)])
	})
})

describe('a proxy, over the API', () => {
	const proxy = 'mesh/apps/virtualNode/A#i0'

	test('by what it has ACKed', async () => {
		const { face, clock } = await startInMemory()
		const opened = await openApi({ address: { host: '127.0.0.1', port: 0 }, face, clock, log: silentLog, version: '1' })
		if (!opened.ok) throw new Error(opened.error)
		const { address, close } = opened.value
		try {
			const taken = await explain('GET', 'http://b.local/x?y=1', '-H', 'x-a: 1&2', '--proxy', proxy, '--http', address)
			expect([taken.code, taken.talk]).toEqual([0, ''])
			expect(taken.out).toContain(`GET http://b.local/x?y=1 at ${proxy}, by what it has ACKed`)
			expect(taken.out).toContain('✓ goes to B 100 %, Bv2 0 %, by the route B')
			const json = await explain(
				'GET',
				'http://b.local/',
				'-H',
				'x-a: 1&2',
				'--proxy',
				proxy,
				'--json',
				'--http',
				address,
			)
			expect(JSON.parse(json.out)).toMatchObject({
				key: proxy,
				explained: { request: { headers: [{ name: 'x-a', value: '1&2' }] } },
			})
			const none = await explain('GET', 'http://b.local/', '--proxy', 'mesh/apps/virtualNode/A#i9', '--http', address)
			expect([none.code, none.talk]).toEqual([exitCodes.failed.code, expect.stringContaining(`did you mean ${proxy}?`)])
		} finally {
			await close()
		}
	})
})
