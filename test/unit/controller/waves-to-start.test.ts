import { describe, expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import type { WavesSpec } from '#mesh/mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { type FakeProxy, timeoutAt } from '../../simulation/fake-proxy.ts'
import { stableCluster } from '../../simulation/simulated-mesh.ts'

// A change of B's host name, which all callers' clusters of B have, goes out by waves over ten of them.

const policy = { ...twoSteps, waves: { sharesPpm: [300_000], minDurationMs: 8_000 } }
const heldOf = (target: FakeProxy) => target.held.get(`${typeUrls.cluster} ${stableCluster}`)?.version

async function start(instances: number, failing: (isNew: boolean) => number = () => 0) {
	let before: string | undefined
	const isNew = (target: FakeProxy) => before !== undefined && heldOf(target) !== before
	const daemon = await startInMemory((store) => store, {
		policy,
		instances,
		failing: (target, cluster) => (cluster === stableCluster ? failing(isNew(target)) : 0),
	})
	before = heldOf(daemon.fleet.proxies[0] as FakeProxy)
	const changed = () => daemon.fleet.proxies.filter(isNew)
	return { daemon, changed, wave: () => daemon.controller.view().state.rollouts.at(-1) as Rollout }
}

/** Number of changed proxies whenever it differs, until the rollout has ended. */
async function watch(daemon: DaemonInMemory, changed: () => readonly FakeProxy[], wave: () => Rollout) {
	const seen: number[] = []
	for (let waited = 0; waited < 600 && wave()?.endedWallMs == null; waited += 1) {
		await daemon.pass(500)
		if (seen.at(-1) !== changed().length) seen.push(changed().length)
	}
	return seen
}

test('one proxy, then a part of them, then all, and none of them goes back', async () => {
	const { daemon, changed, wave } = await start(10)
	daemon.commit({ baseline: 'b9.local' })
	const seen = await watch(daemon, changed, wave)
	expect(seen[0], JSON.stringify(wave())).toBe(1)
	expect(seen.at(-1)).toBe(10)
	expect(seen.length).toBe(3)
	expect(seen[1]).toBeGreaterThan(1)
	expect(seen[1]).toBeLessThan(10)
	expect([wave().phase.kind, wave().id]).toEqual(['succeeded', 'apps/waves#1'])
	const [told] = daemon.face.status().rollouts
	expect(told?.steps.map(({ text }) => text)).toEqual(['one proxy', '30 % of the proxies', 'all proxies'])
	expect(told?.changes).toEqual(['mesh/apps/virtualNode/B'])
	const { state, meshes } = daemon.controller.view()
	expect(state.applied).toBe(state.accepted?.mesh)
	expect(meshes.has(state.applied ?? '')).toBe(true)
	expect(daemon.fleet.proxies.every(({ proxy }) => proxy.group.cohort === 'stable')).toBe(true)
})

// Seed 3000877 of the simulator: the one that came back first took its place.
test('who was first is it still after a restart, however late it comes back', async () => {
	const { daemon, changed } = await start(10)
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(3_000)
	const [first] = changed()
	await daemon.restart()
	daemon.fleet.disconnect(first as FakeProxy)
	await daemon.pass(2_000)
	expect(changed()).toEqual([first])
	daemon.fleet.connect(first as FakeProxy)
	await daemon.pass(2_000)
	expect(changed()).toEqual([first])
})

// Seed 3055352 of the simulator: nobody was given the change, and the waves went on.
test('when the first one has gone for good, another one is given it', async () => {
	const { daemon, changed } = await start(10)
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(3_000)
	const [first] = changed()
	daemon.fleet.drain(first as FakeProxy)
	await daemon.pass(2_000)
	expect(changed()).toHaveLength(1)
	const journal = await daemon.face.readJournal(0, 1000)
	expect(journal.at(-1)?.entry.event).toBe('rollout.firstReplaced')
})

// Seed 2875 of the simulator: a wave had nobody in it, and the next had all.
test('nor is a later wave left without anybody', async () => {
	const { daemon, changed, wave } = await start(2)
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(3_000)
	const [first] = changed()
	while (wave().step === 0) await daemon.pass(1_000)
	daemon.fleet.drain(first as FakeProxy)
	await daemon.pass(3_000)
	expect(changed()).toHaveLength(1)
})

test('what is bad at the first proxy is gone from it, quarantined, and the rest of the commit goes on', async () => {
	const { daemon, changed, wave } = await start(10, (isNew) => (isNew ? 1 : 0))
	daemon.commit({ baseline: 'b9.local', unrelated: 7 })
	const seen = await watch(daemon, changed, wave)
	expect(seen).toEqual([1, 0])
	expect(wave().phase).toMatchObject({ kind: 'rolledBack', cause: { by: 'guard' } })
	await daemon.pass(5_000)
	const { state, meshes } = daemon.controller.view()
	expect(state.rolloutCount).toBe(1)
	const applied = meshes.get(state.applied ?? '')?.resources
	expect(applied?.['mesh/apps/virtualNode/C' as never]).toMatchObject({
		spec: { serviceDiscovery: { hostname: 'c7.local' } },
	})
	expect(daemon.face.status().heldBack).toMatchObject([
		{ kind: 'replace', resource: 'mesh/apps/virtualNode/B', reason: expect.stringContaining('in quarantine') },
	])
	daemon.commit({ baseline: 'b10.local' })
	await daemon.pass(2_000)
	expect(daemon.controller.view().state.rolloutCount).toBe(2)
})

test('where nobody is left to compare with, each wave is watched twice as long', async () => {
	const { daemon, changed, wave } = await start(1)
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(1_000)
	expect([changed().length, wave().phase.kind]).toEqual([1, 'stepping'])
	await watch(daemon, changed, wave)
	expect(wave().phase.kind).toBe('succeeded')
})

test('Git may take it back while it goes out, and a shift of the same commit comes after it', async () => {
	const { daemon, changed, wave } = await start(10)
	daemon.commit({ baseline: 'b9.local', weights: [1, 1] })
	await daemon.pass(5_000)
	expect([changed().length, daemon.controller.view().state.rollouts.length]).toEqual([1, 1])
	const cohorts = daemon.face.status().groups.map(({ cohort, connected }) => [cohort, connected])
	expect(cohorts).toEqual([
		['stable', 9],
		['candidate', 1],
	])
	expect(daemon.face.status().heldBack.map(({ reason }) => reason)).toEqual([
		'rollout apps/waves#1 brings it in',
		'waits for apps/waves#1',
	])
	daemon.commit({ baseline: 'b1.local', weights: [1, 1] })
	await daemon.pass(3_000)
	expect(changed()).toEqual([])
	const [back, shift] = daemon.controller.view().state.rollouts
	expect(back?.phase).toMatchObject({ kind: 'aborted', cause: { by: 'superseded' } })
	expect(shift?.lanes[0].routes[0].id).toBe('mesh/apps/virtualRouter/B/route/B')
	expect(wave().wave).toBeNull()
})

test('what Git takes back when it has gone out goes back at once, whatever is frozen', async () => {
	const { daemon, changed, wave } = await start(10)
	daemon.commit({ baseline: 'b9.local' })
	await watch(daemon, changed, wave)
	expect(changed()).toHaveLength(10)
	const scope = { mesh: null, router: null, route: null }
	await daemon.command({ kind: 'freeze', scope, untilWallMs: null, actor: 'dana', reason: 'the fair' })
	daemon.commit({ baseline: 'b1.local' })
	await daemon.pass(2_000)
	expect([changed().length, daemon.controller.view().state.rolloutCount]).toEqual([0, 1])
})

test('a change that nobody is there to hold goes in at once', async () => {
	const { daemon, changed, wave } = await start(2)
	for (const target of daemon.fleet.proxies) daemon.fleet.disconnect(target)
	await daemon.pass(700_000)
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(2_000)
	expect([wave().phase.kind, changed().length]).toEqual(['succeeded', 0])
	for (const target of daemon.fleet.proxies) daemon.fleet.connect(target)
	await daemon.pass(2_000)
	expect(changed()).toHaveLength(2)
})

test('a way back of shares that ends meanwhile is not undone when all have the change', async () => {
	const { daemon, changed, wave } = await start(10)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(120_000)
	expect(wave().phase.kind).toBe('succeeded')
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(3_000)
	expect([changed().length, wave().id]).toEqual([1, 'apps/waves#2'])
	const back = {
		kind: 'rollback',
		scope: { mesh: null, router: 'B', route: 'B' },
		actor: 'dana',
		reason: 'night',
	} as const
	expect(await daemon.command(back)).toMatchObject({ kind: 'done' })
	await watch(daemon, changed, wave)
	await daemon.pass(5_000)
	expect(wave().phase.kind).toBe('succeeded')
	expect(changed()).toHaveLength(10)
	for (const target of daemon.fleet.proxies) expect(daemon.fleet.sharesOf(target)?.get(stableCluster)).toBe(1_000_000)
})

test('what fails at all proxies alike is no finding about the change', async () => {
	let outage = false
	const { daemon, changed, wave } = await start(10, () => (outage ? 1 : 0))
	daemon.commit({ baseline: 'b9.local' })
	await daemon.pass(2_000)
	expect(changed()).toHaveLength(1)
	outage = true
	await daemon.pass(4_000)
	expect([changed().length, wave().phase.kind]).not.toContain('rollingBack')
	expect(changed()).toHaveLength(1)
})

describe('a timeout that fails where it is held', () => {
	const isTreated = (target: FakeProxy) => timeoutAt(target, 'b.local') === 5_000

	async function startWith(failing: number, waves: WavesSpec, instances = 4) {
		const daemon = await startInMemory((store) => store, {
			policy: { ...twoSteps, waves },
			instances,
			failing: (target) => (isTreated(target) ? failing : 0),
		})
		const rollouts = () => daemon.controller.view().state.rollouts.map(({ id, phase }) => [id, phase.kind])
		return { daemon, rollouts, treated: () => daemon.fleet.proxies.filter(isTreated).length }
	}

	// Seed 22 of the simulator.
	test('is not tried again when the shares of the same commit have moved', async () => {
		const { daemon, rollouts, treated } = await startWith(1, policy.waves)
		daemon.commit({ timeoutMs: 5_000, weights: [0, 1] })
		await daemon.pass(120_000)
		expect(rollouts()).toEqual([
			['apps/waves#1', 'rolledBack'],
			['B/B#2', 'succeeded'],
		])
		expect(treated()).toBe(0)
	})

	// Seed 1271 of the simulator.
	test('is not tried again beside what a later commit changes, which goes out without it', async () => {
		const { daemon, rollouts, treated } = await startWith(1, policy.waves)
		daemon.commit({ timeoutMs: 5_000 })
		await daemon.pass(30_000)
		daemon.commit({ baseline: 'b9.local' })
		await daemon.pass(120_000)
		expect(rollouts()).toEqual([
			['apps/waves#1', 'rolledBack'],
			['apps/waves#2', 'succeeded'],
		])
		expect(treated()).toBe(0)
		expect(daemon.face.status().heldBack).toMatchObject([
			{
				resource: 'mesh/apps/virtualRouter/B/route/B',
				reason: expect.stringMatching(/^in quarantine since rollout apps\/waves#1/),
			},
		])
	})

	// Seed 67 of the simulator: it was given to all at once.
	test('does not come in with a commit that takes back another one', async () => {
		const { daemon, rollouts, treated } = await startWith(1, policy.waves)
		daemon.commit({ timeoutMs: 5_000 })
		await daemon.pass(30_000)
		daemon.commit({ unrelated: 1 })
		await daemon.pass(5_000)
		daemon.commit({ unrelated: 0 })
		await daemon.pass(30_000)
		expect([rollouts(), treated()]).toEqual([[['apps/waves#1', 'rolledBack']], 0])
	})

	// Seed 19 of the simulator: no look had judged it.
	test('is found where there is nothing to compare with, however short waves are to be', async () => {
		const { daemon, rollouts, treated } = await startWith(0.3, { sharesPpm: [], minDurationMs: 0 }, 1)
		daemon.commit({ timeoutMs: 5_000 })
		await daemon.pass(60_000)
		expect([rollouts(), treated()]).toEqual([[['apps/waves#1', 'rolledBack']], 0])
	})
})
