import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { closeLook, createFold, foldEndpoint, foldSample } from '#guard/fold.ts'
import type { Measurement, MetricLook } from '#guard/look.ts'
import { type RolloutPolicySpec, resourceId, type ThresholdGuard } from '#mesh/mesh.ts'
import { defaultLatencyGuard, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { splitOfWeights, targetKey } from '#plan/split.ts'
import { describeInForce } from '#rollout/describe-step.ts'
import type { FleetFacts } from '#rollout/fleet-facts.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import type { Hold, Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { guardParametersOf, startRollout } from '#rollout/start-rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import {
	alarm,
	atCanary,
	badLook,
	canary,
	codesOf,
	fresh,
	look,
	numberAnew,
	play,
	policy,
	shift,
	split,
	stable,
	turn,
} from './played.ts'

describe('forward', () => {
	test('a healthy canary climbs the ladder, bakes and succeeds', () => {
		let rollout = play(fresh(), turn(100))
		expect([rollout.step, describeInForce(rollout)]).toEqual([0, 'B 90 % · Bv2 10 %'])
		rollout = play(rollout, look(0, 2000), turn(9_000))
		expect(rollout.step, 'the minimum duration is not over').toBe(0)
		rollout = play(rollout, turn(1_500), look(1, 100), turn(10_500))
		expect(rollout.step).toBe(2)
		rollout = play(rollout, look(2, 100), turn(15_000))
		expect(rollout.phase.kind, 'the last step bakes').toBe('stepping')
		rollout = play(rollout, look(2, 100), turn(5_500))
		expect([rollout.phase.kind, describeInForce(rollout)]).toEqual(['succeeded', 'B 0 % · Bv2 100 %'])
	})

	// Seed 1000793 of the simulator: the first proxy to come back had ACKed the step, the last one had not.
	test('the time at a step begins with the last ACK, for which a restart waits too', () => {
		const stepped = play(fresh(), turn(100))
		const isConfirmed = (facts: Partial<FleetFacts>) => stepRollout(stepped, turn(100, facts), 1).rollout.confirmed
		expect(isConfirmed({ current: 1 })).toBe(false)
		expect(isConfirmed({ connected: 1, current: 1, returning: true })).toBe(false)
		expect(isConfirmed({})).toBe(true)
	})

	test.for<{ why: string; facts: Partial<FleetFacts>; code: string }>([
		{ why: 'no proxy', facts: { connected: 0, expected: 0, current: 0 }, code: 'NO_PROXY' },
		{
			why: 'a target that is not ready',
			facts: { notReady: [{ proxy: 'p', target: 't', host: 'h', why: 'noHost' as const }] },
			code: 'NOT_READY',
		},
		{ why: 'an ACK that is missing', facts: { current: 1, pending: ['p'] }, code: 'NOT_ACKED' },
		{ why: 'too many proxies gone', facts: { expected: 3 }, code: 'PROXIES_MISSING' },
		{
			why: 'proxies gone, in whose place others came that nobody knows',
			facts: { gone: [{ proxy: 'p', version: '' }] },
			code: 'PROXIES_MISSING',
		},
		{ why: 'a start so recent that proxies may still come back', facts: { returning: true }, code: 'PROXIES_MISSING' },
		{
			why: 'a refusal',
			facts: { current: 1, rejectedProxies: 1, rejectedShare: 0.5, rejected: [{ proxy: 'p', text: 'no', place: '' }] },
			code: 'REJECTED',
		},
	])('is held before the first percent by $why', ({ facts, code }) => {
		const rollout = play(fresh(), turn(limits.ackGraceMs + 1, facts), turn(100, facts))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([-1, 'held', [code]])
	})

	test('no look, no step: silence holds', () => {
		const rollout = play(fresh(), turn(100), turn(limits.freshLookMs + 1))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([0, 'held', ['NO_EVIDENCE']])
	})

	test('a look with a silent proxy holds', () => {
		const silent = look(0, 2000, { proxies: { expected: 2, fresh: 1, silent: ['p2'] } })
		const rollout = play(fresh(), turn(100), silent, turn(11_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['SILENT']])
	})

	test('silence takes it back where the policy says so, though looks at silence go on', () => {
		const impatient = { ...fresh(), policy: { ...policy, onNoEvidence: 'rollBack' as const } }
		const silence = () => look(0, 0, { proxies: { expected: 2, fresh: 0, silent: ['p1', 'p2'] } })
		const waiting = play(impatient, turn(100), silence(), turn(limits.noEvidenceMs - 1), silence(), turn(1))
		expect(waiting.phase.kind).toBe('held')
		expect(play(waiting, silence(), turn(1)).phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'noEvidence' } })
	})

	test('too few requests hold, and say how many are missing', () => {
		const rollout = play(fresh(), turn(100), look(0, 50), turn(11_000))
		expect(codesOf(rollout)).toEqual(['MORE_REQUESTS'])
		expect(rollout.holds[0]?.text).toMatch(/more canary requests/)
	})

	test('a look at the step before says nothing of this one', () => {
		const rollout = play(fresh(), turn(100), look(-1, 5000), turn(11_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['NO_EVIDENCE']])
	})

	test('nothing moves forward while the store does not answer', () => {
		const rollout = play(fresh(), turn(5_000, {}, false), turn(100, {}, false))
		expect([rollout.step, codesOf(rollout)]).toEqual([-1, ['NOT_DURABLE']])
	})

	test('what is frozen does not move, promoted or not; the guard takes it back, and its deadline stands still', () => {
		const frozen: Hold[] = [{ code: 'FROZEN', text: 'dana has frozen everything: the fair' }]
		const promoted: RolloutEvent = { kind: 'promote', command: { actor: 'dana', reason: 'now' } }
		expect(play(fresh(), promoted, turn(100, {}, true, frozen))).toMatchObject({ step: -1, holds: frozen })
		const proven = play(fresh(), turn(100), look(0, 2000), turn(11_000, {}, true, frozen), promoted)
		const waiting = play(proven, turn(policy.deadlineMs, {}, true, frozen))
		expect(waiting).toMatchObject({ step: 0, phase: { kind: 'held' } })
		expect(play(waiting, alarm).phase.kind).toBe('rollingBack')
		const booted = play(waiting, { kind: 'boot', downMs: policy.deadlineMs }, look(0, 10), turn(100))
		expect([booted.step, booted.phase.kind]).toEqual([1, 'stepping'])
	})

	test('the last step does not end while it is frozen', () => {
		const frozen: Hold[] = [{ code: 'FROZEN', text: 'dana has frozen everything: the fair' }]
		const baked = play({ ...fresh(), step: 2 }, turn(policy.bakeMs), look(2, 3000), turn(100, {}, true, frozen))
		expect(baked.phase.kind).toBe('held')
		expect(play(baked, turn(100)).phase.kind).toBe('succeeded')
	})

	test('after a restart a step needs evidence of this boot', () => {
		const proven = play(fresh(), turn(100), look(0, 2000), turn(9_999))
		const rollout = play(proven, { kind: 'boot', downMs: 1_000 }, turn(1_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['NO_EVIDENCE']])
		numberAnew()
		expect(play(rollout, look(0, 10), turn(100)).step, 'looks are numbered anew').toBe(1)
	})

	test('the time the daemon was away counts for the deadline, not for the step', () => {
		const rollout = play(
			fresh(),
			turn(100),
			look(0, 2000),
			{ kind: 'boot', downMs: policy.deadlineMs + 1 },
			look(0, 10),
			turn(100),
		)
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['DEADLINE']])
	})
})

describe('a person', () => {
	const command = { actor: 'dana', reason: 'seen it' }

	test('promotes past missing evidence, not past a target that is not ready', () => {
		const notReady = { notReady: [{ proxy: 'p', target: 't', host: 'h', why: 'noHost' as const }] }
		const waiting = play(fresh(), turn(100), turn(9_000), { kind: 'promote', command }, turn(100, notReady))
		expect(waiting.step).toBe(0)
		expect(play(waiting, turn(100)).step).toBe(1)
	})

	test('promotes to the target: each step waits for the proxies and for nothing else, and the last one bakes', () => {
		const asked = play(fresh(), turn(100), { kind: 'promoteFull', command }, turn(100, { current: 1, pending: ['p'] }))
		expect(asked.step, 'a proxy has not ACKed').toBe(0)
		const last = play(asked, turn(100), turn(100))
		expect([last.step, last.promotion]).toEqual([2, null])
		const baking = play(last, look(2, 5000), turn(policy.bakeMs - 1_000))
		expect(baking.phase.kind).toBe('stepping')
		expect(play(baking, look(2, 100), turn(1_100)).phase.kind).toBe('succeeded')
	})

	test('aborts: back at once, aborted when all have confirmed', () => {
		const back = play(fresh(), turn(100), { kind: 'abort', command }, turn(100, { current: 1, pending: ['p2'] }))
		expect([back.phase.kind, describeInForce(back)]).toEqual(['rollingBack', 'B 100 % · Bv2 0 %'])
		expect(play(back, turn(100)).phase.kind).toBe('aborted')
	})
})

describe('paused', () => {
	const command = { actor: 'dana', reason: 'lunch' }
	const paused = () => play(fresh(), turn(100), look(0, 2000), { kind: 'pause', command })

	test('nothing goes forward, whatever allows it; resumed, it goes on with fresh evidence', () => {
		const waiting = play(paused(), turn(20_000), look(0, 2000), turn(20_000))
		expect(waiting).toMatchObject({ step: 0, phase: { kind: 'paused', by: command }, holds: [] })
		const resumed = play(waiting, { kind: 'resume', command }, turn(100))
		expect([resumed.step, codesOf(resumed)]).toEqual([0, ['NO_EVIDENCE']])
		expect(play(resumed, look(0, 10), turn(100)).step).toBe(1)
	})

	test('before the first step, it stays before it', () => {
		const waiting = play(fresh(), { kind: 'pause', command }, turn(100), turn(100))
		expect([waiting.step, waiting.phase.kind]).toEqual([-1, 'paused'])
		expect(play(waiting, { kind: 'resume', command }, turn(100)).step).toBe(0)
	})

	test.for<{ why: string; events: () => RolloutEvent[] }>([
		{ why: 'an alarm', events: () => [alarm] },
		{ why: 'a look that is bad enough', events: () => [badLook(0), badLook(0), badLook(0), badLook(0)] },
		{ why: 'proxies that refuse it', events: () => [turn(100, { rejectedShare: 0.5, rejectedProxies: 1 })] },
		{ why: 'a person', events: () => [{ kind: 'abort', command }] },
		{ why: 'Git', events: () => [{ kind: 'supersede', reason: 'another' }] },
	])('$why takes it back all the same', ({ events }) => {
		expect(play(paused(), ...events()).phase.kind).toBe('rollingBack')
	})

	test('the deadline stands still, also while the daemon is away', () => {
		const waiting = play(paused(), turn(policy.deadlineMs), { kind: 'boot', downMs: policy.deadlineMs })
		const resumed = play(waiting, { kind: 'resume', command }, look(0, 10), turn(100))
		expect([resumed.step, resumed.phase.kind]).toEqual([1, 'stepping'])
	})

	test('stays so after a restart, and when Git asks for another share', () => {
		const booted = play(paused(), { kind: 'boot', downMs: 5 })
		expect(booted.phase.kind).toBe('paused')
		const asked = shiftGroup({ ...shift, after: split(20, 80), quarantineKey: 'other' })
		expect(retargetRollout(booted, asked, 'c2')?.phase.kind).toBe('paused')
	})
})

describe('back', () => {
	test('an alarm acts in every phase with weight, without a turn', () => {
		const held = play(fresh(), turn(100), turn(20_000))
		expect(held.phase.kind).toBe('held')
		expect(describeInForce(play(held, alarm))).toBe('B 100 % · Bv2 0 %')
	})

	test('is said to be done only when every connected proxy has confirmed, the gone named', () => {
		const back = play(fresh(), turn(100), alarm, turn(50, { current: 1, pending: ['p2'] }))
		expect(back.phase.kind).toBe('rollingBack')
		const gone = { gone: [{ proxy: 'p3', version: 'v1' }], expected: 3 }
		const { rollout, notes } = stepRollout(back, turn(50, gone), 7)
		expect([rollout.phase.kind, rollout.endedWallMs]).toEqual(['rolledBack', 7])
		expect(notes[0]?.reason).toContain('2/3 proxies confirmed')
	})

	test('tells of ACKs that are missing only when they have had time to come', () => {
		const pending = { current: 1, pending: ['p2'] }
		const back = play(fresh(), turn(100), alarm, turn(100, pending))
		expect([back.phase.kind, codesOf(back)]).toEqual(['rollingBack', []])
		expect(codesOf(play(back, turn(limits.ackGraceMs, pending)))).toEqual(['NOT_ACKED'])
	})

	test('is not done while proxies may still come back to a daemon that has just started', () => {
		const back = play(fresh(), turn(100), alarm, turn(100, { connected: 0, expected: 0, current: 0, returning: true }))
		expect([back.phase.kind, codesOf(back)]).toEqual(['rollingBack', ['PROXIES_MISSING']])
		expect(play(back, turn(100)).phase.kind).toBe('rolledBack')
	})

	test('never rises again: later events change nothing', () => {
		const back = play(fresh(), turn(100), alarm)
		const later = play(
			back,
			look(0, 5000),
			{ kind: 'promote', command: { actor: 'a', reason: 'b' } },
			turn(60_000, { current: 1 }),
		)
		expect(describeInForce(later)).toBe('B 100 % · Bv2 0 %')
	})

	test('does not wait for the store', () => {
		expect(play(fresh(), turn(100), turn(100, {}, false), alarm).phase.kind).toBe('rollingBack')
	})

	test('more than a fifth of a group refusing a step takes it back; before the first step it is held', () => {
		const refused = {
			connected: 10,
			expected: 10,
			current: 7,
			rejectedProxies: 3,
			rejectedShare: 0.3,
			rejected: [{ proxy: 'p', text: 'no', place: 'a.yaml:3' }],
		}
		expect(play(fresh(), turn(100), turn(100, refused)).phase.kind).toBe('rollingBack')
		expect(play(fresh(), turn(100, refused), turn(100, refused)).phase.kind).toBe('held')
	})

	test('found taken back after a restart: it goes back', () => {
		expect(play(fresh(), turn(100), turn(100, { foundBack: true })).phase).toMatchObject({
			kind: 'rollingBack',
			cause: { by: 'restart' },
		})
	})

	test('where the last good has no healthy host it says so and does not claim to be done', () => {
		const rollout = play(fresh(), turn(100), alarm, turn(100, { current: 1, stranded: ['p2'] }))
		expect([rollout.phase.kind, codesOf(rollout)]).toEqual(['rollingBack', ['LAST_GOOD_UNHEALTHY']])
	})
})

describe('another target for the same canary', () => {
	const asks = (left: number, right: number) =>
		shiftGroup({ ...shift, after: split(left, right), quarantineKey: 'other' })

	test('a higher one: the weights in force stay, the evidence starts afresh', () => {
		const proven = play(fresh(), turn(100), look(0, 2000))
		const next = retargetRollout(proven, asks(20, 80), 'c2')
		expect(next).toMatchObject({ step: 0, stepsPpm: [100_000, 500_000, 800_000], verdict: null, confirmed: false })
		expect(describeInForce(next as Rollout)).toBe('B 90 % · Bv2 10 %')
	})

	test('a lower one than is in force: down to it at once', () => {
		const half = play(fresh(), turn(100), look(0, 2000), turn(10_100))
		const next = retargetRollout(half, asks(70, 30), 'c2')
		expect(describeInForce(next as Rollout)).toBe('B 70 % · Bv2 30 %')
	})

	test('another canary: null, it first goes back', () => {
		const third = { virtualNode: resourceId.virtualNode('apps', 'Bv3'), port: 80 }
		const after = splitOfWeights([
			{ ...stable, weight: 50 },
			{ ...third, weight: 50 },
		])
		const asked = shiftGroup({ ...shift, after, rising: [third], quarantineKey: 'other' })
		expect(retargetRollout(play(fresh(), turn(100)), asked, 'c2')).toBeNull()
	})
})

describe('a shared incident', () => {
	const failing = { canary: { requests: 200, errors: 60 }, baseline: { requests: 1000, errors: 300 } }
	const well = { canary: { requests: 200, errors: 0 }, baseline: { requests: 1000, errors: 0 } }

	/** Neither evidence nor proof: only counts. */
	function countsOf(step: number, counts: typeof failing): RolloutEvent {
		const event = look(step, 200)
		if (event.kind !== 'look') throw new Error('a look')
		const metric: MetricLook = { ...counts, logFactors: Array.from({ length: 12 }, () => 0), proofs: [0, 0, 0, 0, 0] }
		return { ...event, look: { ...event.look, canaries: atCanary(metric) } }
	}
	const begin = (step: number) => [countsOf(step, failing), countsOf(step, failing)]
	const end = (step: number) => [countsOf(step, well), countsOf(step, well)]
	const withPolicy = (onSharedIncident: 'stepBack' | 'hold' | 'rollBack') =>
		startRollout({
			id: 'B/B#1',
			group: shiftGroup({ ...shift, policy: { ...policy, onSharedIncident } }),
			revision: 'c1',
			wallMs: 0,
		})
	const atSecondStep = (rollout: Rollout) => play(rollout, turn(100), look(0, 2000), turn(10_500))

	test('soon after a step takes that step back, and says so', () => {
		const before = atSecondStep(fresh())
		expect(before.step).toBe(1)
		const { rollout, notes } = stepRollout(play(before, ...begin(1)), turn(100), 1)
		expect([rollout.step, rollout.phase.kind, rollout.verdict]).toEqual([0, 'stepping', null])
		expect(notes).toMatchObject([
			{
				event: 'rollout.steppedBack',
				reason:
					'both fail: canary 120/400 errors (30 %), baseline 600/2,000 (30 %); from 50 % one step back as a precaution',
				numbers: { step: 0, split: 'B 90 % · Bv2 10 %', incident: { canary: { requests: 400, errors: 120 } } },
			},
		])
		expect(codesOf(play(rollout, turn(60_000)))).toContain('SHARED_INCIDENT')
	})

	test('it goes one step at most, and on by ordinary steps when the baseline is well', () => {
		let rollout = play(atSecondStep(fresh()), ...begin(1), turn(100), ...begin(0), turn(100), ...begin(0))
		rollout = play(rollout, turn(20_000))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([
			0,
			'held',
			['SHARED_INCIDENT', 'NO_EVIDENCE'],
		])
		rollout = play(rollout, ...end(0), turn(100))
		expect([rollout.step, codesOf(rollout)]).toEqual([1, []])
	})

	test('the first step leads back to the good shares, and waits there', () => {
		let rollout = play(fresh(), turn(100), ...begin(0), turn(100))
		expect([rollout.step, describeInForce(rollout)]).toEqual([-1, 'B 100 % · Bv2 0 %'])
		rollout = play(rollout, turn(30_000))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([-1, 'held', ['SHARED_INCIDENT']])
		expect(play(rollout, ...end(-1), turn(100)).step).toBe(0)
	})

	test.for<[why: string, rollout: Rollout, between: RolloutEvent[]]>([
		['long after a step', fresh(), Array.from({ length: 61 }, () => turn(10_000))],
		['where the policy says hold', withPolicy('hold'), []],
	])('holds and no more: %s', ([, rollout, between]) => {
		const started = play(rollout, turn(100), ...between)
		const held = play(started, ...begin(0), turn(1000))
		expect([held.step, codesOf(held)[0], held.stepBack]).toEqual([0, 'SHARED_INCIDENT', 'none'])
	})

	test('goes back for good where the policy says so', () => {
		const back = play(atSecondStep(withPolicy('rollBack')), ...begin(1))
		expect(back.phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'guard' } })
	})

	test('a step is taken back only when the store can write it down, and the baseline has a host', () => {
		const due = play(atSecondStep(fresh()), ...begin(1))
		expect(play(due, turn(100, {}, false)).step).toBe(1)
		expect(play(due, turn(100, { stranded: ['p'] })).step).toBe(1)
		expect(play(due, turn(100, {}, false), turn(100)).step).toBe(0)
		expect(play(due, turn(100, {}, false), ...end(1), turn(100)), 'it is over by then').toMatchObject({ step: 1 })
	})

	test('the hard limit and the comparison act in it as ever, and a person may pass it over', () => {
		const incident = play(fresh(), turn(100), ...begin(0), turn(100, {}, false))
		const alarm = {
			kind: 'alarm',
			alarm: { kind: 'errors', by: 'shares', canary: targetKey(canary), proxy: null, counts: failing },
		} as const
		expect(play(incident, alarm).phase.kind).toBe('rollingBack')
		const held = play(withPolicy('hold'), turn(100), ...begin(0))
		expect(play(held, { kind: 'promote', command: { actor: 'p', reason: 'r' } }, turn(100)).step).toBe(1)
	})
})

test('a rollout stays small enough for the store', () => {
	const long = {
		...policy,
		steps: Array.from({ length: 12 }, (_, index) => ({
			...defaultRolloutStep,
			sharePpm: (index + 1) * 50_000,
			minDurationMs: 60_000,
			minRequests: 1000,
		})),
	}
	const rollout = play(
		startRollout({ id: 'B/B#1', group: shiftGroup({ ...shift, policy: long }), revision: 'c'.repeat(40), wallMs: 1 }),
		turn(100),
		look(0, 2000),
		turn(20_000),
	)
	expect(JSON.stringify(rollout).length).toBeLessThanOrEqual(limits.rolloutStateBytes)
})

test.for<{ why: string; guards: Rollout['policy']['guards']; hosts: readonly string[]; most: number }>([
	{ why: 'nothing more', guards: [], hosts: [], most: limits.rolloutStateBytes },
	{ why: 'endpoints told apart', guards: [], hosts: ['a', 'b'], most: limits.rolloutStateBytes },
	{ why: 'latency', guards: [defaultLatencyGuard], hosts: [], most: limits.rolloutStateBytes },
	{ why: 'both', guards: [defaultLatencyGuard], hosts: ['a', 'b'], most: limits.rolloutStateBytes + 128 },
])('a rollout stays small enough with two canaries and $why', ({ guards, hosts, most }) => {
	const canaries = ['checkout-v2', 'checkout-v3'].map((name) => ({
		virtualNode: resourceId.virtualNode('apps', name),
		port: 8080,
	}))
	const [second, third] = canaries
	if (second === undefined || third === undefined) throw new Error('there are two')
	const splitOf = (left: number, middle: number, right: number) =>
		splitOfWeights([
			{ ...stable, weight: left },
			{ ...second, weight: middle },
			{ ...third, weight: right },
		])
	const judged = { ...policy, guards: [...policy.guards, ...guards] }
	const two = { ...shift, before: splitOf(1, 0, 0), after: splitOf(0, 1, 1), rising: canaries, policy: judged }
	let rollout = startRollout({
		id: 'checkout/checkout#17',
		group: shiftGroup(two),
		revision: 'c'.repeat(40),
		wallMs: 1.79e12,
	})
	rollout = play(rollout, turn(100))
	const fold = createFold({ canaries: canaries.map(targetKey), hardLimitPpm: 500_000 })
	const times = (samples: number) => ({
		samples,
		edgesMs: [5, 50, 150],
		atMost: [0.8, 0.96, 0.99].map((part) => part * samples),
	})
	const arm = (requests: number, errors: number) => {
		return { completed: requests, errors, retries: 9, started: requests, active: 0, times: times(requests) }
	}
	for (let looks = 1; looks <= 30; looks += 1) {
		const counted = Object.fromEntries(canaries.map((target) => [targetKey(target), arm(4_300, 60)]))
		const flush = { proxy: 'p', zone: 'z', shares: 's', unrouted: 0, canaries: counted, baseline: arm(98_700, 810) }
		foldSample(fold, flush)
		for (const target of canaries)
			for (const host of hosts) {
				const endpoint = `${target.virtualNode}#ip-10-0-0-17.eu-west-1.compute.internal-${host}`
				foldEndpoint(fold, { endpoint, canary: targetKey(target), requests: 2_200, errors: 30 })
			}
		const closing = { sequence: looks, stepStart: false, warmingUp: false, expected: ['p', 'q'], silent: ['q'] }
		const asked = { parameters: guardParametersOf(rollout), edgesMs: rollout.guard.edgesMs }
		const shares = Object.fromEntries(canaries.map((target) => [targetKey(target), 0.05]))
		const next = closeLook(fold, { ...closing, ...asked, expectedShares: shares })
		rollout = play(rollout, { kind: 'look', step: 0, look: next }, turn(5_000, { current: 1, pending: names(1) }))
	}
	expect(rollout.holds.length).toBeGreaterThan(0)
	// What a policy writes is as long as it is.
	expect(JSON.stringify({ ...rollout, policy: null }).length).toBeLessThanOrEqual(most)
})

const routeNames = ['main', 'mobile', 'orders-read', 'orders-write', 'refunds', 'admin', 'batch', 'health-probes']

test.for<{ why: string; change: Partial<FleetFacts>; routes: readonly string[] }>([
	{ why: 'going forward', change: {}, routes: ['B'] },
	{ why: 'taken back for refusals', change: { rejectedShare: 0.6 }, routes: ['B'] },
	{ why: 'stranded on the way back', change: { rejectedShare: 0.6, stranded: names(500) }, routes: ['B'] },
	{ why: 'with as many routes as there may be', change: { rejectedShare: 0.6 }, routes: routeNames },
])('a rollout stays small enough for the store whatever the fleet says: $why', ({ change, routes }) => {
	expect(routeNames).toHaveLength(limits.groupRoutes)
	const words = 'x'.repeat(limits.xdsRefusalChars)
	const loud: Partial<FleetFacts> = {
		connected: 1000,
		expected: 2000,
		current: 100,
		pending: names(20),
		rejected: names(20).map((proxy) => ({ proxy, text: words, place: 'mesh/services/service-b/route.yaml:12' })),
		rejectedProxies: 600,
		notReady: names(20).map((proxy) => ({ proxy, target: targetKey(canary), host: 'b2.apps.local', why: 'noHost' })),
		gone: names(40).map((proxy) => ({ proxy, version: 'v' })),
		...change,
	}
	const command = { actor: 'a'.repeat(limits.apiActorChars), reason: 'r'.repeat(limits.apiReasonChars) }
	const quarantineKey = 'k'.repeat(16)
	const shifts = routes.map((name) => ({ ...shift, route: resourceId.route('apps', 'B', name), quarantineKey }))
	const started = startRollout({ id: 'B#1', group: shiftGroup(...shifts), revision: 'c'.repeat(40), wallMs: 1.79e12 })
	const stepped = play(started, turn(100), look(0, 2000), { kind: 'promote', command }, turn(20_000, loud))
	const rollout = play(stepped, turn(20_000, loud))
	expect(rollout.holds.length).toBeGreaterThan(0)
	expect(JSON.stringify(rollout).length).toBeLessThanOrEqual(limits.rolloutStateBytes)
})

function names(count: number): string[] {
	return Array.from(
		{ length: count },
		(_, index) => `mesh/apps/virtualNode/frontend#ip-10-0-0-${index}.compute.internal`,
	)
}

describe('thresholds', () => {
	const guard: ThresholdGuard = {
		kind: 'threshold',
		name: 'failures',
		source: { kind: 'prometheus', address: 'http://p', query: 'up', credentials: null },
		min: null,
		max: 0.5,
		intervalMs: 5_000,
		windowMs: 8_000,
		minMeasurements: 2,
		breaches: { count: 2, of: 3 },
		onNoData: 'hold',
	}
	const guarded = (change: Partial<ThresholdGuard> = {}): Rollout =>
		startRollout({
			id: 'B/B#1',
			group: shiftGroup({ ...shift, policy: { ...policy, guards: [...policy.guards, { ...guard, ...change }] } }),
			revision: 'c1',
			wallMs: 0,
		})
	let asked = 0
	const answer = (measurement: Measurement): RolloutEvent => {
		asked += 1
		return { kind: 'measurement', guard: 'failures', sequence: asked, measurement }
	}
	const figure = (value: number) => answer({ kind: 'value', value, ageMs: 0 })
	const nothing = () => answer({ kind: 'noData', reason: 'ECONNREFUSED' })

	test('a step needs measurements whose window lies in it, and a newest one in bounds', () => {
		let rollout = play(guarded(), turn(100), figure(0.1), look(0, 2000), figure(0.1), turn(4_000), figure(0.1))
		expect(rollout.thresholds.failures?.inBounds, 'they look back to before the step').toBe(0)
		rollout = play(rollout, turn(5_000), look(0, 100), turn(1))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, []])
		rollout = play(rollout, turn(9_000), look(0, 100), figure(0.1), turn(1_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['MORE_MEASUREMENTS']])
		rollout = play(rollout, figure(0.9), turn(1_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['OUT_OF_BOUNDS']])
		rollout = play(rollout, nothing(), turn(1_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['NO_DATA']])
		rollout = play(rollout, look(0, 100), figure(0.2), turn(1_000))
		expect([rollout.step, rollout.phase.kind, rollout.thresholds.failures?.inBounds]).toEqual([1, 'stepping', 0])
	})

	test('another target asks for measurements of its own; what was out of bounds stays so', () => {
		const measured = play(guarded(), turn(100), look(0, 2000), turn(9_000), figure(0.9), figure(0.1), figure(0.1))
		expect(measured.thresholds.failures).toMatchObject({ inBounds: 2, recent: 'x..' })
		const asks = { ...shift, after: split(20, 80), policy: measured.policy, quarantineKey: 'other' }
		const next = retargetRollout(measured, shiftGroup(asks), 'c2')
		expect(next?.thresholds.failures).toMatchObject({ inBounds: 0, recent: 'x..' })
	})

	test.for<{ why: string; events: () => RolloutEvent[] }>([
		{ why: 'stepping', events: () => [] },
		{ why: 'held', events: () => [turn(20_000, { rejectedProxies: 1, rejectedShare: 0.1 })] },
		{ why: 'while proxies are missing', events: () => [turn(20_000, { expected: 9 })] },
		{ why: 'after a restart', events: () => [{ kind: 'boot', downMs: 5_000 }] },
		{
			why: 'promoted by a person',
			events: () => [{ kind: 'promote', command: { actor: 'ada', reason: 'r' } }],
		},
	])('breaches take it back: $why', ({ events }) => {
		asked = 0
		const stepped = play(guarded(), turn(100), ...events())
		const rollout = play(stepped, figure(0.9), figure(0.7))
		expect(rollout.phase).toEqual({
			kind: 'rollingBack',
			cause: { by: 'guard', reason: 'failures: 0.7 is above 0.5, 2 of the last 2 measurements', actor: 'sluice' },
		})
	})

	test('while paused and while it bakes, too', () => {
		asked = 0
		const paused: Rollout = {
			...play(guarded(), turn(100)),
			phase: { kind: 'paused', by: { actor: 'ada', reason: 'r' } },
		}
		expect(play(paused, figure(0.9), figure(0.9)).phase.kind).toBe('rollingBack')
		const last: Rollout = { ...play(guarded(), turn(100)), step: 2 }
		expect(play(last, figure(0.9), figure(0.9)).phase.kind).toBe('rollingBack')
	})

	test('nothing counts before the first step, on the way back, or of a guard that it has not', () => {
		asked = 0
		expect(play(guarded(), figure(0.9), figure(0.9), figure(0.9)).phase.kind).toBe('pending')
		const back = play(guarded(), turn(100), { kind: 'abort', command: { actor: 'ada', reason: 'r' } })
		expect(play(back, figure(0.9), figure(0.9)).phase).toEqual(back.phase)
		expect(play(fresh(), turn(100), figure(0.9), figure(0.9), figure(0.9)).phase.kind).toBe('stepping')
	})

	test('a person can pass over what is missing, and not over a breach', () => {
		asked = 0
		const stepped = play(guarded(), turn(100), nothing())
		const rollout = play(stepped, { kind: 'promote', command: { actor: 'ada', reason: 'r' } }, turn(1_000))
		expect(rollout.step).toBe(1)
		expect(play(rollout, figure(0.9), figure(0.9)).phase.kind).toBe('rollingBack')
	})

	test('a source that is lost for long takes it back only where the policy says so', () => {
		asked = 0
		const lost = (change: Partial<ThresholdGuard>) =>
			play(guarded(change), turn(100), figure(0.1), nothing(), turn(40_000), nothing(), turn(26_000))
		expect(lost({}).phase.kind).toBe('held')
		expect(lost({ onNoData: 'rollBack' }).phase).toMatchObject({
			kind: 'rollingBack',
			cause: { by: 'noEvidence', reason: 'failures has had no data for 60 s and more' },
		})
		const restarted = play(guarded({ onNoData: 'rollBack' }), turn(100), figure(0.1), { kind: 'boot', downMs: 900_000 })
		expect(play(restarted, turn(1_000)).phase.kind, 'the daemon was away, not the source').not.toBe('rollingBack')
	})

	test('with a loud source and as many guards as there may be, the state stays small', () => {
		asked = 0
		const words: Measurement = { kind: 'noData', reason: 'x'.repeat(10_000) }
		const names = Array.from({ length: limits.thresholdGuards }, (_, index) => `guard-${index}`)
		const guards = [...policy.guards, ...names.map((name) => ({ ...guard, name }))]
		const loud = startRollout({
			id: 'B/B#1',
			group: shiftGroup({ ...shift, policy: { ...policy, guards } }),
			revision: 'c1',
			wallMs: 0,
		})
		const events = names.map(
			(name): RolloutEvent => ({ kind: 'measurement', guard: name, sequence: 1, measurement: words }),
		)
		const rollout = play(loud, turn(100), ...events, look(0, 2000), turn(30_000))
		expect(rollout.holds.map(({ text }) => text.slice(0, 7))).toEqual([
			'no fres',
			'guard-0',
			'guard-1',
			'guard-2',
			'2 more ',
		])
		const written = JSON.stringify(guards.filter(({ kind }) => kind === 'threshold')).length
		expect(JSON.stringify(rollout).length - written).toBeLessThanOrEqual(limits.rolloutStateBytes)
	})
})

describe('where no counters are asked for', () => {
	const only = (change: Partial<RolloutPolicySpec>): Rollout =>
		startRollout({
			id: 'B/B#1',
			group: shiftGroup({ ...shift, policy: { ...policy, ...change } }),
			revision: 'c1',
			wallMs: 0,
		})
	const unguarded = () => only({ guards: [], unguarded: 'a toy' })

	test('unguarded, a step waits for its duration and its ACKs', () => {
		let rollout = play(unguarded(), turn(100), turn(9_000))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([0, 'stepping', []])
		rollout = play(rollout, turn(2_000, { current: 1 }))
		expect([rollout.step, codesOf(play(rollout, turn(5_000, { current: 1 })))]).toEqual([0, ['NOT_ACKED']])
		expect(play(rollout, turn(100)).step).toBe(1)
	})

	test('nor does silence take it back, whatever is said of no evidence', () => {
		const rollout = play(only({ guards: [], unguarded: 'a toy', onNoEvidence: 'rollBack' }), turn(100))
		expect(play(rollout, turn(2_000, { current: 1 }), turn(90_000, { current: 1 })).phase.kind).toBe('held')
	})

	test('what proxies count takes it back all the same', () => {
		const counts = { canary: { requests: 40, errors: 40 }, baseline: { requests: 400, errors: 0 } }
		const alarm = { kind: 'errors', by: 'shares', canary: targetKey(canary), proxy: null, counts } as const
		expect(play(unguarded(), turn(100), { kind: 'alarm', alarm }).phase.kind).toBe('rollingBack')
	})

	test('requests that the policy asks for are asked for', () => {
		const steps = [{ ...defaultRolloutStep, sharePpm: 100_000, minDurationMs: 10_000, minRequests: 500 }]
		const rollout = play(only({ guards: [], unguarded: 'a toy', steps }), turn(100), turn(20_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['MORE_REQUESTS']])
	})

	test('a proxy that was never heard of holds only who asks for counters', () => {
		const notReady = [{ proxy: 'p', target: 't', host: 'h', why: 'unwatched' as const }]
		const rollout = play(fresh(), turn(5_000, { notReady }))
		expect([rollout.step, rollout.holds]).toEqual([
			-1,
			[
				{
					code: 'SILENT',
					text: 'p is unwatched, it pushes no counters: a policy for it has threshold guards only, or says unguarded',
				},
			],
		])
	})
})
