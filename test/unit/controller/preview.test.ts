import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PlanRequest, previewPlan, validateFolder } from '#controller/preview.ts'
import { createGitRepository } from '../../fakes/git-repository.ts'

const example = join(import.meta.dirname, '../../../mesh-config')
const routeFile = 'route-service-b.yaml'
let home: string
let folder: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-preview-'))
	folder = join(home, 'mesh')
	cpSync(example, folder, { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

function edit(change: (text: string) => string): void {
	const file = join(folder, routeFile)
	writeFileSync(file, change(readFileSync(file, 'utf8')))
}

/** 75 % to serviceB, 25 % to serviceBv2. */
function shiftWeights(): void {
	edit((text) => text.replace(/weight: 100 ?\}/, 'weight: 75}\n        - {virtualNode: serviceBv2, weight: 25}'))
}

async function plan(base: string | null) {
	const outcome = await previewPlan({ path: folder, base, traffic: null })
	if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome))
	return outcome.preview
}

test('the example is valid', async () => {
	const read = await validateFolder(folder)
	expect(read).toMatchObject({ kind: 'read', outcome: { kind: 'ok', warnings: [] } })
})

test('what is no folder is told in words', async () => {
	expect(await validateFolder(join(folder, 'nothing'))).toMatchObject({ kind: 'unreadable' })
	const file = await validateFolder(join(folder, routeFile))
	expect(file.kind === 'unreadable' ? file.message : '').toContain('is a file: give the folder that holds the mesh')
})

test('against nothing everything is new', async () => {
	const preview = await plan(null)
	expect(preview.base).toBeNull()
	expect(new Set(preview.changes.map(({ kind }) => kind))).toEqual(new Set(['prepare']))
	expect(preview.resources.listener.added.length).toBeGreaterThan(0)
})

test('a change of weights is a shift with its steps, and touches its callers only', async () => {
	shiftWeights()
	const preview = await plan(example)
	expect(preview.changes).toHaveLength(1)
	const [shift] = preview.changes
	if (shift?.kind !== 'shift') throw new Error('it is a shift')
	const lanes = [{ before: 'serviceB 100 %', after: 'serviceB 75 % · serviceBv2 25 %' }]
	expect(shift).toMatchObject({ rollout: 'serviceB/serviceB', lanes, leastMs: 8_000 })
	expect(shift.steps.map(({ canarySharePpm, minDurationMs }) => [canarySharePpm, minDurationMs])).toEqual([
		[100_000, 3_000],
		[250_000, 5_000],
	])
	for (const { proofRequests } of shift.steps) expect(proofRequests).toBeGreaterThan(100)
	expect(shift.guardedBy).toBe('failed requests, as proxies count them')
	expect(preview.identities).toEqual({ total: 3, changed: 1 })
	expect(preview.resources.route).toMatchObject({
		added: [],
		changed: [expect.stringMatching(/^serviceA: /)],
		removed: [],
	})
	expect(preview.resources.cluster.added).toEqual([expect.stringMatching(/^serviceA: .*serviceBv2/)])
})

test('what nothing needs any more is removed', async () => {
	const preview = await (async () => {
		const file = join(folder, 'service-b.yaml')
		const documents = readFileSync(file, 'utf8').split(/^---$/m)
		writeFileSync(file, documents.filter((text) => !text.includes('name: serviceBv2')).join('---'))
		return plan(example)
	})()
	expect(preview.changes).toEqual([{ kind: 'remove', resource: 'mesh/apps/virtualNode/serviceBv2' }])
})

test('a mesh that is refused is no plan', async () => {
	edit((text) =>
		text
			.replace('{ virtualNode: serviceB,', '{ virtualNode: nobody,')
			.replace('{virtualNode: serviceB,', '{virtualNode: nobody,'),
	)
	expect(await previewPlan({ path: folder, base: example, traffic: null })).toMatchObject({
		kind: 'refused',
		side: 'new',
		diagnostics: [{ code: 'SL0301', file: routeFile }],
	})
	expect(await previewPlan({ path: example, base: folder, traffic: null })).toMatchObject({
		kind: 'refused',
		side: 'base',
	})
})

describe('in a Git work tree', () => {
	function commitFolder(): string {
		const repository = createGitRepository(home)
		return repository.commit({}, 'The mesh')
	}

	test('edits are compared with the last commit', async () => {
		commitFolder()
		expect((await plan(null)).changes).toEqual([])
		shiftWeights()
		expect(await plan(null)).toMatchObject({ base: 'HEAD', changes: [{ kind: 'shift' }] })
	})

	test('any name of a commit is a base', async () => {
		const id = commitFolder()
		shiftWeights()
		for (const base of [id.slice(0, 10), 'main'])
			expect(await plan(base)).toMatchObject({ base, changes: [{ kind: 'shift' }] })
	})

	test('a name that is none, or looks like an option, is told', async () => {
		commitFolder()
		for (const base of ['nowhere', '--output=x', 'HEAD~5']) {
			const outcome = await previewPlan({ path: folder, base, traffic: null })
			expect(outcome.kind === 'unreadable' ? outcome.message : '').toContain(`has no commit ${base}`)
		}
	})

	test('a linked work tree is one as well', async () => {
		commitFolder()
		const repository = createGitRepository(home)
		const linked = `${home}-linked`
		repository.git(['worktree', 'add', '--quiet', linked, '-b', 'other'])
		try {
			folder = join(linked, 'mesh')
			shiftWeights()
			expect(await plan(null)).toMatchObject({ base: 'HEAD', changes: [{ kind: 'shift' }] })
		} finally {
			rmSync(linked, { recursive: true })
		}
	})

	test('a work tree without a commit is compared with nothing', async () => {
		createGitRepository(home)
		expect((await plan(null)).base).toBeNull()
	})
})

test('a folder outside of Git has no commits', async () => {
	mkdirSync(join(home, 'alone'))
	const outcome = await previewPlan({ path: folder, base: 'main', traffic: null })
	expect(outcome.kind === 'unreadable' ? outcome.message : '').toContain('is in no Git work tree')
})

test('what both ends would have to change at once is an error at its line, beside the plan', async () => {
	const file = join(folder, 'service-b.yaml')
	writeFileSync(file, readFileSync(file, 'utf8').replace(/port: 80\b/, 'port: 8080'))
	const moved = await plan(example)
	expect(moved.traps, 'a way through is known').toEqual([])
	expect(moved.phases.map(({ phase }) => phase)).toEqual(['widen', 'switch', 'whole'])
	expect(moved.phases.map(({ changes }) => changes.map(({ kind }) => kind))).toMatchObject([
		['replace'],
		['shift'],
		expect.anything(),
	])
	writeFileSync(
		file,
		readFileSync(join(example, 'service-b.yaml'), 'utf8').replace(/protocol: http2?\b/, 'protocol: tcp'),
	)
	const { traps, changes } = await plan(example)
	expect(traps).toMatchObject([{ code: 'SL0416', severity: 'error', file: 'service-b.yaml' }])
	expect(traps[0]?.message).toContain('while serviceA sends traffic to it')
	expect(traps[0]?.line).toBeGreaterThan(0)
	expect(changes.length).toBeGreaterThan(0)
	expect((await plan(null)).traps, 'compared with nothing').toEqual([])
})

describe('with traffic a shift has an outlook', () => {
	async function shiftWith(traffic: PlanRequest['traffic']) {
		shiftWeights()
		const outcome = await previewPlan({ path: folder, base: example, traffic })
		const [shift] = outcome.kind === 'planned' ? outcome.preview.changes : []
		if (shift?.kind !== 'shift') throw new Error('it is a shift')
		return shift
	}

	test('that is given: times, and what cannot be seen', async () => {
		const { outlook, steps } = await shiftWith({ kind: 'given', requestsPerSecond: 100, errorShare: 0.001 })
		expect(outlook).toMatchObject({ requestsPerSecond: 100, errorShare: 0.001 })
		expect(outlook?.steps.map(({ durationMs }) => durationMs)).toHaveLength(steps.length)
		expect(outlook?.totalMs).toBeGreaterThan(60_000)
		expect(outlook?.failures.map(({ errorShare, fate }) => [errorShare, fate.kind])).toEqual([
			[0.002, 'letThrough'],
			[0.005, 'held'],
			[1, 'found'],
		])
	})

	test('that a daemon counted: of the targets that have it now', async () => {
		const counts = (completed: number, errors: number) => ({ completed, errors, connects: 1, connectFailures: 1 })
		const clusters = {
			cds_egress_apps_serviceB_http2_80: counts(6000, 60),
			cds_egress_apps_serviceBv2_http2_80: counts(9999, 9999),
		}
		const { outlook } = await shiftWith({ kind: 'daemon', traffic: { seconds: 60, clusters } })
		expect(outlook).toMatchObject({ requestsPerSecond: 100, errorShare: 0.01 })
	})

	test('and none where the daemon has counted nothing of it', async () => {
		expect((await shiftWith({ kind: 'daemon', traffic: { seconds: 60, clusters: {} } })).outlook).toBeNull()
		expect((await shiftWith(null)).outlook).toBeNull()
	})
})
