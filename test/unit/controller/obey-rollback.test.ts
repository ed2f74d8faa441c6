import { beforeEach, describe, expect, test } from 'vitest'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'
import { canaryCluster, stableCluster } from '../../simulation/simulated-mesh.ts'

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory()
})

const who = { actor: 'dana', reason: 'INC-311' }
const scope = { mesh: null, router: 'B', route: 'B' }
const rollback = () => daemon.command({ kind: 'rollback', scope, ...who })
const newest = () => daemon.face.status().rollouts[0]
const held = () =>
	daemon.fleet.proxies.map((proxy) =>
		Object.fromEntries([...(daemon.fleet.sharesOf(proxy) ?? [])].filter(([, share]) => share > 0)),
	)
const wholly = (cluster: string) => [{ [cluster]: 1_000_000 }, { [cluster]: 1_000_000 }]

async function succeed() {
	daemon.commit({ weights: [0, 1] })
	await daemon.pass(60_000)
	expect(newest()?.phase).toBe('succeeded')
	expect(held()).toEqual(wholly(canaryCluster))
}

describe('a rollout that has succeeded', () => {
	beforeEach(succeed)

	test('is taken back to the shares before it, and not tried again until its content changes', async () => {
		expect(await rollback()).toMatchObject({ kind: 'done' })
		await daemon.pass(5_000)
		expect(newest()).toMatchObject({ id: 'B/B#1', phase: 'rolledBack', quarantined: true, cause: { by: 'rollback' } })
		expect(held()).toEqual(wholly(stableCluster))
		const journal = await daemon.face.readJournal(0, 1000)
		expect(journal.map(({ entry }) => entry).slice(-2)).toMatchObject([
			{ event: 'rollout.rollingBack', rollout: 'B/B#1', ...who, numbers: { by: 'rollback', to: 'B 100 % · Bv2 0 %' } },
			{ event: 'rollout.rolledBack', rollout: 'B/B#1', actor: 'dana', numbers: { connected: 2 } },
		])
		daemon.commit({ unrelated: 1 })
		await daemon.pass(5_000)
		expect(daemon.face.status().rollouts).toHaveLength(1)
		daemon.commit({ hostname: 'b2-mended.local' })
		await daemon.pass(5_000)
		expect(newest()?.id).toBe('B/B#2')
	})

	test('is tried again by retry', async () => {
		await rollback()
		await daemon.pass(5_000)
		expect(await daemon.command({ kind: 'retry', rollout: 'B/B#1', ...who })).toMatchObject({ kind: 'done' })
		await daemon.pass(60_000)
		expect(newest()).toMatchObject({ id: 'B/B#2', phase: 'succeeded' })
	})

	test('what Git asks for by now is in quarantine, though the rollout brought something else', async () => {
		daemon.commit({ hostname: 'b2-later.local' })
		await daemon.pass(5_000)
		await rollback()
		await daemon.pass(10_000)
		expect(daemon.face.status().rollouts).toMatchObject([{ id: 'B/B#1', phase: 'rolledBack', quarantined: true }])
	})

	test('goes back while the store does not answer, and says so', async () => {
		daemon.fillDisk()
		expect(await rollback()).toMatchObject({ kind: 'done' })
		await daemon.pass(5_000)
		expect(held()).toEqual(wholly(stableCluster))
		expect(newest()?.text).toContain('not yet durable')
		daemon.freeDisk()
		await daemon.pass(2_000)
		expect(newest()).toMatchObject({ phase: 'rolledBack', text: expect.stringMatching(/^rolled back to B 100 %/) })
	})

	// Seed 2019128 of the simulator: the canary rose to all of the traffic at once.
	test('stays taken back when the daemon starts again before the store has answered', async () => {
		daemon.fillDisk()
		await rollback()
		await daemon.restart()
		await daemon.pass(8_000)
		expect(held()).toEqual(wholly(stableCluster))
		expect(newest()).toMatchObject({ id: 'B/B#1', phase: 'succeeded' })
		await daemon.pass(4_000)
		daemon.freeDisk()
		await daemon.pass(60_000)
		expect(held()).toEqual(wholly(stableCluster))
		const cause = { by: 'restart', actor: 'sluice' }
		expect(daemon.face.status().rollouts).toMatchObject([
			{ id: 'B/B#1', phase: 'rolledBack', quarantined: true, cause },
		])
	})

	test('a start at which all hold its shares changes nothing', async () => {
		await daemon.restart()
		await daemon.pass(30_000)
		expect(held()).toEqual(wholly(canaryCluster))
		expect(newest()?.phase).toBe('succeeded')
	})

	test('works without the guard: of proxies that report nothing', async () => {
		for (const proxy of daemon.fleet.proxies) proxy.silent = true
		await daemon.pass(10_000)
		await rollback()
		await daemon.pass(1_000)
		expect(held()).toEqual(wholly(stableCluster))
		expect(newest()?.phase).toBe('rolledBack')
	})

	test('a proxy that does not answer delays nobody, and it is not said to be done', async () => {
		const [stopped] = daemon.fleet.proxies
		if (stopped === undefined) throw new Error('there are two')
		stopped.ackDelayMs = 3_600_000
		await rollback()
		await daemon.pass(10_000)
		expect(held()[1]).toEqual({ [stableCluster]: 1_000_000 })
		expect(newest()).toMatchObject({ phase: 'rollingBack', holds: [{ code: 'NOT_ACKED' }] })
	})

	test('a proxy at which the last good has no host keeps what works', async () => {
		const [lonely] = daemon.fleet.proxies
		lonely?.healthy.set(stableCluster, 0)
		await daemon.pass(3_000)
		await rollback()
		await daemon.pass(10_000)
		expect(held()).toEqual([{ [canaryCluster]: 1_000_000 }, { [stableCluster]: 1_000_000 }])
		expect(newest()).toMatchObject({ phase: 'rollingBack', holds: [{ code: 'LAST_GOOD_UNHEALTHY' }] })
	})

	test('a second time is refused: it does not go two versions back', async () => {
		await rollback()
		await daemon.pass(5_000)
		expect(await rollback()).toMatchObject({
			kind: 'refused',
			code: 'NOT_POSSIBLE',
			text: expect.stringContaining('went back'),
		})
	})

	test('is refused when a virtual node of the last good shares is gone', async () => {
		daemon.commit({ stable: 'dropped' })
		await daemon.pass(10_000)
		expect(await rollback()).toMatchObject({
			kind: 'refused',
			text: 'before B/B#1 it had B 100 %, and B is there no longer: restore it in Git',
		})
		expect(held()).toEqual(wholly(canaryCluster))
	})
})

test('a rollout that runs is aborted', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(4_000)
	expect(await rollback()).toEqual({ kind: 'done', text: 'B/B#1 goes back to B 100 %' })
	await daemon.pass(2_000)
	expect(newest()).toMatchObject({ phase: 'aborted', cause: { by: 'command', ...who } })
})

test('it works while everything is frozen', async () => {
	await succeed()
	const all = { mesh: null, router: null, route: null }
	await daemon.command({ kind: 'freeze', scope: all, untilWallMs: null, ...who })
	await rollback()
	await daemon.pass(5_000)
	expect(newest()?.phase).toBe('rolledBack')
})

test('of a route that never had a rollout nothing is remembered', async () => {
	expect(await rollback()).toMatchObject({ kind: 'refused', code: 'NOT_POSSIBLE' })
})

test('a route that is not there', async () => {
	const asked = { kind: 'rollback', scope: { ...scope, route: 'C' }, ...who } as const
	expect(await daemon.command(asked)).toEqual({ kind: 'refused', code: 'NOT_FOUND', text: 'there is no route B/C' })
})
