import { beforeEach, describe, expect, test } from 'vitest'
import type { Scope } from '#controller/commands.ts'
import { findFreeze } from '#controller/freeze.ts'
import { resourceId } from '#mesh/mesh.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

const who = { actor: 'dana', reason: 'the fair' }
const all: Scope = { mesh: null, router: null, route: null }
const route = { ...all, router: 'B', route: 'B' }

describe('what a freeze covers', () => {
	const routes = ['B', 'Bx'].map((router) => resourceId.route('apps', router, 'B'))
	test.for([
		{ scope: null, covered: [true, true] },
		{ scope: resourceId.mesh('apps'), covered: [true, true] },
		{ scope: resourceId.mesh('app'), covered: [false, false] },
		{ scope: resourceId.virtualRouter('apps', 'B'), covered: [true, false] },
		{ scope: resourceId.route('apps', 'B', 'B'), covered: [true, false] },
	])('$scope', ({ scope, covered }) => {
		const freezes = [{ scope, ...who, sinceWallMs: 0, untilWallMs: null }]
		expect(routes.map((id) => findFreeze(freezes, id) !== null)).toEqual(covered)
	})
})

describe('in a daemon', () => {
	let daemon: DaemonInMemory
	beforeEach(async () => {
		daemon = await startInMemory()
	})

	const freeze = (scope: Scope, untilWallMs: number | null = null) =>
		daemon.command({ kind: 'freeze', scope, untilWallMs, ...who })
	const unfreeze = (scope: Scope) => daemon.command({ kind: 'unfreeze', scope, ...who })
	const events = async () => (await daemon.face.readJournal(0, 1000)).map(({ entry }) => entry.event)

	test('nothing starts, and status says why; when it is lifted, it starts', async () => {
		expect(await freeze(route)).toMatchObject({ kind: 'done' })
		expect(daemon.face.status().headline).toMatchObject({
			level: 'settled',
			text: expect.stringContaining('dana has frozen mesh/apps/virtualRouter/B/route/B: the fair'),
		})
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(10_000)
		const { rollouts, freezes, heldBack, headline } = daemon.face.status()
		expect(rollouts).toEqual([])
		expect(freezes).toMatchObject([{ scope: 'mesh/apps/virtualRouter/B/route/B', ...who, until: null }])
		expect(heldBack).toMatchObject([{ kind: 'shift', reason: expect.stringContaining('dana has frozen') }])
		expect(headline.level).toBe('held')
		expect(await unfreeze(route)).toMatchObject({ kind: 'done' })
		expect(daemon.face.status().rollouts).toMatchObject([{ id: 'B/B#1' }])
		expect(await events()).toEqual(expect.arrayContaining(['freeze.begun', 'freeze.ended']))
	})

	test('a rollout under way takes no step; a bad canary is taken back', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(1_000)
		await freeze(all)
		await daemon.pass(60_000)
		expect(daemon.face.status().rollouts[0]).toMatchObject({ step: 1, phase: 'held', holds: [{ code: 'FROZEN' }] })
		daemon.failCanary(1)
		await daemon.pass(15_000)
		expect(daemon.face.status().rollouts[0]?.phase).toBe('rolledBack')
	})

	test('a deletion waits, and is listed', async () => {
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(60_000)
		expect(daemon.face.status().rollouts[0]?.phase).toBe('succeeded')
		await freeze(all)
		daemon.commit({ stable: 'dropped' })
		await daemon.pass(10_000)
		expect(daemon.face.status().pendingRemovals).toMatchObject([
			{ resource: 'mesh/apps/virtualNode/B', reason: expect.stringContaining('dana has frozen everything') },
		])
		await unfreeze(all)
		await daemon.pass(1_000)
		expect(daemon.face.status().pendingRemovals).toEqual([])
	})

	test.for([{ waves: null }, { waves: { sharesPpm: [], minDurationMs: 1_000 } }])(
		'a change other than of weights waits, and is listed, with waves $waves',
		async ({ waves }) => {
			daemon = await startInMemory((store) => store, { policy: { ...twoSteps, waves } })
			// The daemon has just started: who may come back may hold what was before.
			await daemon.pass(15_000)
			await freeze({ ...all, mesh: 'apps' })
			const before = daemon.controller.view().state.applied
			daemon.commit({ baseline: 'b9.local', unrelated: 3 })
			await daemon.pass(5_000)
			expect(daemon.face.status().heldBack).toMatchObject([
				{ kind: 'replace', resource: 'mesh/apps/virtualNode/B', reason: expect.stringContaining('dana has frozen') },
			])
			expect(daemon.face.status().rollouts).toEqual([])
			expect(daemon.controller.view().state.applied, 'what nobody feels goes on').not.toBe(before)
			await unfreeze({ ...all, mesh: 'apps' })
			await daemon.pass(waves === null ? 2_000 : 60_000)
			const { state } = daemon.controller.view()
			expect(state.applied).toBe(state.accepted?.mesh)
		},
	)

	test('ends by itself, though nothing else happens', async () => {
		await freeze(all, daemon.clock.wallMs() + 30_000)
		await daemon.pass(20_000)
		expect(daemon.face.status().freezes).toHaveLength(1)
		await daemon.pass(10_000)
		expect(daemon.face.status().freezes).toEqual([])
		expect(await events()).toContain('freeze.ended')
	})

	test('a second one of the same scope takes the place of the first', async () => {
		await freeze(all)
		await daemon.command({ kind: 'freeze', scope: all, untilWallMs: null, actor: 'ada', reason: 'still' })
		expect(daemon.face.status().freezes).toMatchObject([{ actor: 'ada', reason: 'still' }])
	})

	test.for([
		{ why: 'a router that is not there', scope: { ...all, router: 'C' }, text: 'there is no virtual router C' },
		{ why: 'a route of another mesh', scope: { ...route, mesh: 'shop' }, text: 'there is no route B/B in mesh shop' },
	])('$why is refused', async ({ scope, text }) => {
		expect(await freeze(scope)).toEqual({ kind: 'refused', code: 'NOT_FOUND', text })
	})

	test('what is not frozen cannot be lifted, and what is is named', async () => {
		await freeze({ ...all, mesh: 'apps' })
		const text = 'there is no such freeze; frozen: mesh/apps'
		expect(await unfreeze(all)).toEqual({ kind: 'refused', code: 'NOT_POSSIBLE', text })
	})
})
