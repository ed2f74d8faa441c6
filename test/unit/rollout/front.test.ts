import { beforeEach, describe, expect, test } from 'vitest'
import { besideClusterName } from '#compile/clone-names.ts'
import { typeUrls } from '#compile/compiled.ts'
import { type RolloutPolicySpec, resourceId } from '#mesh/mesh.ts'
import { defaultRolloutStep, defaultThresholdGuard } from '#mesh/rollout-policy.ts'
import { frontOf as frontOfLane } from '#rollout/front.ts'
import { ladderOf } from '#rollout/ladder.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import type { Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import { firstPair, plainWish, simulatedMesh } from '../../simulation/simulated-mesh.ts'
import { alarm, canary, look, play, policy, shift, split, stable, turn } from './played.ts'

const header = { name: 'x-tester', invert: false, match: { kind: 'exact', value: 'yes' } } as const
const front = [{ kind: 'http', headers: [header], queryParameters: [] }] as const
const alone = { ...defaultRolloutStep, sharePpm: 0, minDurationMs: 5_000 }
const withFront: RolloutPolicySpec = { ...policy, front, steps: [alone, ...policy.steps] }
const start = (spec: RolloutPolicySpec = withFront) =>
	startRollout({ id: 'B/B#1', group: shiftGroup({ ...shift, policy: spec }), revision: 'c1', wallMs: 0 })
const frontOf = (rollout: Rollout) => frontOfLane(rollout, rollout.lanes[0])

describe('what is in front', () => {
	test('comes with the first step, and goes with the first word of a way back', () => {
		expect(frontOf(start())).toMatchObject({ standing: 'beside', matches: front })
		const stepped = play(start(), turn(100))
		expect(stepped).toMatchObject({ step: 0, stepsPpm: [0, 100_000, 500_000, 1_000_000] })
		expect(frontOf(stepped)).toMatchObject({ standing: 'routed', split: [{ ...canary, sharePpm: 1_000_000 }] })
		expect(frontOf(play(stepped, alarm))).toMatchObject({ standing: 'beside' })
		expect(frontOf(play(stepped, alarm, turn(100)))).toBe(null)
	})

	test('is there until the end, the bake included', () => {
		const proven = play(start(), turn(100), look(0, 2000), turn(10_000), look(1, 2000), turn(11_000), look(2, 2000))
		const baking = play(proven, turn(11_000), look(3, 2000), turn(15_000))
		expect(baking).toMatchObject({ step: 3, phase: { kind: 'stepping' } })
		expect(frontOf(baking)?.standing).toBe('routed')
		const done = play(baking, look(3, 2000), turn(10_000))
		expect(done.phase.kind).toBe('succeeded')
		expect(frontOf(done)).toBe(null)
		const cause = { by: 'rollback', reason: 'r', actor: 'ada' } as const
		expect(frontOf({ ...done, phase: { kind: 'rollingBack', cause } }), 'taken back after all').toBe(null)
	})

	test('is shared by several canaries as the target has them', () => {
		const third = { ...canary, port: 81 }
		const after = [
			{ ...canary, sharePpm: 300_000 },
			{ ...third, sharePpm: 100_000 },
			{ ...stable, sharePpm: 600_000 },
		]
		const two = { ...shift, policy: withFront, after, rising: [canary, third] }
		const rollout = startRollout({ id: 'B/B#1', group: shiftGroup(two), revision: 'c1', wallMs: 0 })
		expect(frontOf(rollout)?.split.map(({ sharePpm }) => sharePpm)).toEqual([750_000, 250_000])
	})

	test('stays what it was when Git asks for another share in the middle', () => {
		const asked = { after: split(40, 60), policy: { ...policy, front: [] }, quarantineKey: 'k' }
		const other = shiftGroup({ ...shift, ...asked })
		const before = retargetRollout(start(), other, 'c2')
		expect(before?.policy.front).toEqual([])
		const moved = retargetRollout(play(start(), turn(100)), other, 'c2')
		expect(moved).toMatchObject({ stepsPpm: [0, 100_000, 500_000, 600_000], step: 0, policy: { front } })
	})
})

describe('a step without a share', () => {
	test('is the first one, of canaries that have none, where something is in front', () => {
		const ladder = (spec: RolloutPolicySpec, from: number) =>
			ladderOf(spec, [{ good: split(100 - from, from), target: split(0, 100) }], [canary])
		expect(ladder(withFront, 0)[0]).toBe(0)
		expect(ladder(withFront, 5)[0]).toBe(100_000)
		expect(ladder({ ...withFront, front: [] }, 0)[0]).toBe(100_000)
	})

	test('needs its duration and counters, and no proof', () => {
		const stepped = play(start(), turn(100), look(0, 0))
		expect(play(stepped, turn(4_000)).step).toBe(0)
		expect(play(stepped, turn(6_000)).step).toBe(1)
		const silent = play(start(), turn(100), turn(26_000))
		expect(silent.holds.map(({ code }) => code)).toEqual(['NO_EVIDENCE'])
	})

	test('counts what is in front for its least requests', () => {
		const asks = start({ ...withFront, steps: [{ ...alone, minRequests: 30 }] })
		const seen = (requests: number): RolloutEvent => look(0, 0, { beside: { requests, errors: 1 } })
		const few = play(asks, turn(100), seen(20), turn(11_000))
		expect(few.holds).toEqual([{ code: 'MORE_REQUESTS', text: '20 of 30 canary requests without a share' }])
		expect(play(few, seen(10), turn(100))).toMatchObject({ step: 1, guard: { beside: [30, 2] } })
	})

	test('asks no threshold, and hears of none', () => {
		const source = { kind: 'http', url: 'http://x', value: '', time: null, credentials: null } as const
		const guard = { ...defaultThresholdGuard, kind: 'threshold', name: 'a', source, min: null, max: 1 } as const
		const guarded = start({ ...withFront, guards: [...policy.guards, { ...guard, breaches: { count: 1, of: 1 } }] })
		const breach: RolloutEvent = {
			kind: 'measurement',
			guard: 'a',
			sequence: 1,
			measurement: { kind: 'value', value: 5, ageMs: 0 },
		}
		const stepped = play(guarded, turn(100), breach, look(0, 0), turn(6_000))
		expect(stepped).toMatchObject({ step: 1, phase: { kind: 'stepping' } })
		expect(play(stepped, { ...breach, sequence: 2 }).phase.kind).toBe('rollingBack')
	})
})

describe('at the proxies', () => {
	const { route } = firstPair
	const brief = twoSteps.steps[0] ?? alone
	const steps = [{ ...alone, minDurationMs: 2_000 }, brief]
	let daemon: DaemonInMemory
	beforeEach(async () => {
		daemon = await startInMemory((store) => store, { policy: { ...twoSteps, front, steps } })
	})
	const target = { virtualNode: resourceId.virtualNode('apps', 'Bv2'), port: 80 }
	const { resources } = simulatedMesh({
		weights: [1, 0],
		policy: twoSteps,
		...plainWish,
	})
	const cluster = besideClusterName('front', { target, calledAfter: route, resources })
	const rollout = () => daemon.face.status().rollouts[0]
	const inFront = () => daemon.fleet.proxies.map((proxy) => daemon.fleet.frontOf(proxy).get(cluster) ?? null)
	const held = () =>
		daemon.fleet.proxies.map(({ held: all }) =>
			[...all.values()].some(({ typeUrl, name }) => typeUrl === typeUrls.cluster && name === cluster),
		)
	const both = (value: unknown) => [value, value]

	test('it leads to clusters of its own, which come before it and go after it, and is no evidence', async () => {
		for (const proxy of daemon.fleet.proxies) proxy.healthy.set(cluster, 0)
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(8_000)
		expect(rollout()).toMatchObject({ step: 0, holds: [{ code: 'NOT_READY' }, { code: 'NOT_READY' }] })
		expect([held(), inFront()]).toEqual([both(true), both(null)])
		for (const proxy of daemon.fleet.proxies) proxy.healthy.set(cluster, 1)
		await daemon.pass(1_500)
		expect(rollout()).toMatchObject({ step: 1, steps: [{ text: 'no share' }, { text: '10 %' }, { text: '100 %' }] })
		expect(inFront()).toEqual(both(1_000_000))
		await daemon.pass(120_000)
		expect(rollout()?.phase).toBe('succeeded')
		expect([held(), inFront()]).toEqual([both(false), both(null)])
		expect(
			(await daemon.face.readJournal(0, 1_000)).filter(({ entry }) => entry.reason.includes('weights say')),
		).toEqual([])
	})

	test('its failures take the rollout back by the hard limit, and are told as what they are', async () => {
		daemon.fail(cluster, 1)
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(20_000)
		expect(rollout()).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' } })
		expect(rollout()?.cause?.reason).toMatch(/Bv2:80 fails by what is in front, /)
		expect([held(), inFront()]).toEqual([both(false), both(null)])
	})

	test('failures below the hard limit are told, and the comparison does not hear of them', async () => {
		daemon.fail(cluster, 0.2)
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(9_000)
		expect(rollout()?.phase).not.toBe('rolledBack')
		expect(rollout()?.front).toMatchObject({ standing: 'routed' })
		expect(rollout()?.beside.errors).toBeGreaterThan(10)
		expect(rollout()?.evidence?.canary.errors).toBe(0)
	})

	test.for(['started', 'advanced'])('a daemon that dies when it has %s goes on with it', async (move) => {
		daemon.commit({ weights: [0, 1] })
		const told = async () =>
			(await daemon.face.readJournal(0, 1_000)).some(({ entry }) => entry.event === `rollout.${move}`)
		while (!(await told())) await daemon.pass(100)
		// What is decided and not yet published is taken for taken back.
		await daemon.pass(100)
		await daemon.restart()
		await daemon.pass(14_000)
		expect(inFront()).toEqual(both(1_000_000))
		await daemon.pass(150_000)
		expect(rollout()?.phase).toBe('succeeded')
		expect([held(), inFront()]).toEqual([both(false), both(null)])
	})
})
