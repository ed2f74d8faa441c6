import { beforeEach, describe, expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import { headlineOf } from '#controller/headline.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory()
})

test('with everything in force there is nothing to tell', () => {
	const status = daemon.face.status()
	expect(status.headline).toEqual({ level: 'settled', text: '1ccccccccccc is in force' })
	expect(status).toMatchObject({ durable: true, refused: null, rollouts: [], heldBack: [], pendingRemovals: [] })
	expect(status.accepted).toMatchObject({ author: 'Ada', message: 'commit 1' })
	expect(status.groups).toHaveLength(1)
	expect(status.groups[0]).toMatchObject({
		identity: 'mesh/apps/virtualNode/A',
		connected: 2,
		expected: 2,
		types: { cluster: { current: 2, pending: 0 }, route: { current: 2, pending: 0 } },
		silent: [],
	})
})

test('it is plain JSON', () => {
	daemon.commit({ weights: [1, 1] })
	const status = daemon.face.status()
	expect(JSON.parse(JSON.stringify(status))).toEqual(status)
})

test('a rollout tells its step, its shares and its evidence', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	const status = daemon.face.status()
	const [rollout] = status.rollouts
	expect(rollout).toMatchObject({ id: 'B/B#1', step: 1, confirmed: true, quarantined: false, endedAt: null })
	expect(rollout?.steps.map(({ canarySharePpm }) => canarySharePpm)).toEqual([100_000, 500_000])
	expect(rollout?.lanes[0]?.steps[1]).toEqual([
		{ virtualNode: 'B', port: 80, sharePpm: 500_000 },
		{ virtualNode: 'Bv2', port: 80, sharePpm: 500_000 },
	])
	expect(rollout?.lanes[0]?.shares.now).toEqual([
		{ virtualNode: 'B', port: 80, sharePpm: 900_000 },
		{ virtualNode: 'Bv2', port: 80, sharePpm: 100_000 },
	])
	expect(rollout?.fleet).toMatchObject({ connected: 2, expected: 2, current: 2 })
	expect(rollout?.evidence?.text).toMatch(/^canary 0\/\d+ errors/)
	expect(rollout?.progress.missingRequests).toBeGreaterThan(0)
	expect(status.heldBack).toEqual([
		{ code: null, kind: 'shift', resource: 'mesh/apps/virtualRouter/B/route/B', reason: 'rollout B/B#1 brings it in' },
	])
})

test('what is held says why', async () => {
	for (const proxy of daemon.fleet.proxies) proxy.healthy.set('cds_egress_apps_Bv2_http2_80', 0)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(10_000)
	const { headline, rollouts } = daemon.face.status()
	expect(headline.level).toBe('held')
	expect(headline.text).toContain('held before the first step')
	expect(headline.text).toContain(
		'mesh/apps/virtualNode/A#i0 has no healthy host for mesh/apps/virtualNode/Bv2:80 (b2.local)',
	)
	expect(rollouts[0]?.step).toBe(0)
})

test('what went back is in quarantine, with the numbers', async () => {
	daemon.failCanary(1)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(15_000)
	const { headline, rollouts, heldBack } = daemon.face.status()
	expect(rollouts[0]).toMatchObject({ phase: 'rolledBack', quarantined: true, cause: { by: 'guard', actor: 'sluice' } })
	expect(headline.level).toBe('attention')
	expect(headline.text).toContain('rolled back to B 100 %')
	expect(headline.text).toContain('sluice rollout retry')
	expect(heldBack[0]?.reason).toContain('in quarantine since rollout B/B#1')
})

test('a way back that is not stored yet is told as such, and nothing moves forward', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	daemon.fillDisk()
	await daemon.command({ kind: 'abort', rollout: 'B/B#1', actor: 'ada', reason: 'INC-311' })
	const status = daemon.face.status()
	expect(status).toMatchObject({ durable: false, storeFailure: 'no space left' })
	expect(status.rollouts[0]?.text).toContain('not yet durable')
	expect(status.rollouts[0]?.lanes[0]?.shares.now).toEqual([
		{ virtualNode: 'B', port: 80, sharePpm: 1_000_000 },
		{ virtualNode: 'Bv2', port: 80, sharePpm: 0 },
	])
})

test('a source that cannot be reached is told before what stays in force', () => {
	const message = 'cannot read main of mesh.git'
	daemon.controller.takeSource({ kind: 'unreachable', code: 'SL0001', message, retryInMs: 1_000 })
	const status = daemon.face.status()
	expect(status.headline).toEqual({ level: 'attention', text: `1ccccccccccc stays in force: SL0001: ${message}` })
	expect(status.source).toMatchObject({ kind: 'unreachable', text: `SL0001: ${message}` })
})

describe('a refused revision', () => {
	test('is told with its findings, and what was accepted stays', async () => {
		daemon.commitBroken()
		await daemon.pass(1_000)
		const { headline, refused, accepted } = daemon.face.status()
		expect(headline).toEqual({
			level: 'attention',
			text: '2ccccccccccc is refused: SL0204: unknown field "spce"',
		})
		expect(refused).toMatchObject({ acceptable: false, revision: { message: 'commit 2' } })
		expect(refused?.diagnostics[0]).toMatchObject({ file: 'mesh.yaml', line: 3, frame: [{ line: 3 }] })
		expect(accepted?.message).toBe('commit 1')
	})
})

test('proxies that refuse, went away or fell silent are named', async () => {
	const [first, second] = daemon.fleet.proxies
	if (first === undefined || second === undefined) throw new Error('there are two')
	const refusal = { typeUrl: typeUrls.listener, name: 'in', version: 'v', text: 'simulated refusal' }
	first.refused.set('in', { proxy: first.proxy.key, ...refusal })
	first.silent = true
	daemon.fleet.disconnect(second)
	await daemon.pass(6_000)
	const { headline, groups } = daemon.face.status()
	const [group] = groups
	expect(group).toMatchObject({ connected: 1, expected: 2, silent: [first.proxy.key] })
	expect(group?.rejections[0]).toMatchObject({ proxy: first.proxy.key, type: 'listener', text: 'simulated refusal' })
	expect(group?.gone.map(({ proxy }) => proxy)).toEqual([second.proxy.key])
	expect(headline.level).toBe('attention')
	expect(headline.text).toContain('simulated refusal')
})

test('what one proxy refuses matters more than what has settled', async () => {
	const status = daemon.face.status()
	const rejection = { proxy: 'p', type: 'listener', name: 'in', text: 'cannot bind', place: 'a.yaml:6' } as const
	const groups = status.groups.map((group) => ({ ...group, rejections: [rejection] }))
	expect(headlineOf({ ...status, groups })).toEqual({
		level: 'attention',
		text: 'p refuses listener in: cannot bind (probably a.yaml:6)',
	})
})

test('what was taken back is no matter any more when Git asks for something else', async () => {
	daemon.failCanary(1)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(20_000)
	expect(daemon.face.status().rollouts).toMatchObject([{ phase: 'rolledBack', quarantined: true }])
	daemon.commit({ weights: [1, 0] })
	await daemon.pass(1_000)
	const { headline, rollouts } = daemon.face.status()
	expect([headline.level, rollouts.map(({ quarantined }) => quarantined)]).toEqual(['settled', [false]])
})

test('a jump of the wall clock voids what was known', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(12_000)
	const verdict = () => daemon.controller.view().state.rollouts.at(-1)?.verdict
	expect(verdict()).not.toBeNull()
	daemon.clock.jumpWall(3_600_000)
	await daemon.pass(300)
	expect(verdict()).toBeNull()
})
