import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { addLook, noEvidence } from '#guard/error-test.ts'
import { closeLook, createFold, foldEndpoint, foldSample } from '#guard/fold.ts'
import { judge, startGuard, startStep } from '#guard/judge.ts'
import type { ArmIncrement, GuardParameters, GuardState, Look, Verdict } from '#guard/look.ts'
import { unpackLogs } from '#guard/packed-logs.ts'
import { restartWeight } from '#guard/restart-weight.ts'
import { count, seed } from '../../depth.ts'
import { canaryKey, increment, parameters, sample } from './traffic.ts'

const withBaseline = { baselineHasTraffic: true }
const withoutBaseline = { baselineHasTraffic: false }

type Shown = {
	canary?: ArmIncrement
	baseline?: ArmIncrement
	sequence: number
	stepStart?: boolean
	warmingUp?: boolean
	expected?: string[]
	silent?: string[]
	parameters?: GuardParameters
}

function lookOf({ canary = increment(0), baseline = increment(0), ...rest }: Shown): Look {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	foldSample(fold, sample({ canary, baseline }))
	return closeLook(fold, { stepStart: false, warmingUp: false, expected: ['a'], silent: [], parameters, ...rest })
}

function newGuard(): GuardState {
	return startGuard({ canaries: [canaryKey], parameters })
}

/** Judges the same look again and again, from the sequence after the last one. */
function judgeRepeatedly(
	state: GuardState,
	looks: number,
	shown: Omit<Shown, 'sequence'>,
	comparison = withBaseline,
): { state: GuardState; verdicts: Verdict[] } {
	const verdicts: Verdict[] = []
	let judged = state
	for (let look = 0; look < looks; look += 1) {
		const next = judge(judged, lookOf({ ...shown, sequence: judged.lastSequence + 1 }), parameters, comparison)
		judged = next.state
		verdicts.push(next.verdict)
	}
	return { state: judged, verdicts }
}

const good = { canary: increment(100), baseline: increment(1900, 2) }
const bad = { canary: increment(100, 30), baseline: increment(1900, 2) }
const kinds = (verdicts: readonly Verdict[]) => verdicts.map((verdict) => verdict.kind)

describe('a good canary', () => {
	test('holds until the proof is there, with falling numbers of missing requests, then may advance', () => {
		const { state, verdicts } = judgeRepeatedly(newGuard(), 12, good)
		const first = kinds(verdicts).indexOf('advance')
		expect(first).toBeGreaterThan(3)
		expect(
			kinds(verdicts)
				.slice(first)
				.every((kind) => kind === 'advance'),
		).toBe(true)
		const missing = verdicts.flatMap((verdict) => (verdict.kind === 'hold' ? [verdict.missingRequests] : []))
		expect(missing.length).toBe(first)
		expect([...missing].sort((left, right) => right - left)).toEqual(missing)
		expect(missing[0]).toBeLessThan(1000)
		expect(missing.at(-1)).toBeGreaterThan(0)
		expect(state.canaries[canaryKey]?.final).toMatchObject({ proofs: '' })
		expect(state.stepRequests).toBe(1200)
	})

	test('keeps its proof over later steps, whose requests are counted anew', () => {
		const proven = startStep(judgeRepeatedly(newGuard(), 12, good).state)
		expect(proven.stepRequests).toBe(0)
		const { verdict, state } = judge(proven, lookOf({ ...good, sequence: 13 }), parameters, withBaseline)
		expect(verdict.kind).toBe('advance')
		expect(state.stepRequests).toBe(100)
	})

	test('says how many requests are missing', () => {
		const { verdicts } = judgeRepeatedly(newGuard(), 1, { canary: increment(56), baseline: increment(900) })
		expect(verdicts[0]).toMatchObject({
			kind: 'hold',
			reason: 'about 700 more canary requests needed, about 65 s at the present rate',
			missingRequests: 700,
		})
	})
})

describe('a bad canary', () => {
	test('is rolled back after four looks at the earliest, with the reason in numbers', () => {
		const strict = { ...parameters, phi: { value: 1, source: 'endpoints' as const } }
		let state = newGuard()
		const verdicts = [1, 2, 3, 4].map((sequence) => {
			const judged = judge(state, lookOf({ ...bad, sequence, parameters: strict }), strict, withBaseline)
			state = judged.state
			return judged.verdict
		})
		expect(kinds(verdicts)).toEqual(['hold', 'hold', 'hold', 'rollBack'])
		const verdict = verdicts[3]
		if (verdict?.kind !== 'rollBack') throw new Error('not rolled back')
		expect(verdict.reason).toContain(
			`${canaryKey}: canary 120/400 errors (30 %) against baseline 8/7,600 (0.11 %); evidence `,
		)
		expect(verdict.numbers).toMatchObject({ canary: { requests: 400, errors: 120 }, needed: 100, phi: strict.phi })
		expect(verdict.numbers.evidence).toBeGreaterThanOrEqual(100)
	})

	test('is found by its attempts when retries hide its failures', () => {
		const hidden = { canary: increment(100, 0, { retries: 40 }), baseline: increment(1900, 2) }
		const { verdicts } = judgeRepeatedly(newGuard(), 10, hidden)
		const last = verdicts.find((verdict) => verdict.kind === 'rollBack')
		expect(last?.numbers.metric).toBe('attempts')
		expect(kinds(verdicts)).not.toContain('advance')
	})

	test('is rolled back though proxies are silent and its proof was had before', () => {
		const proven = judgeRepeatedly(newGuard(), 12, good).state
		const { verdicts } = judgeRepeatedly(proven, 10, { ...bad, expected: ['a', 'b'] })
		expect(kinds(verdicts)).toContain('rollBack')
	})
})

describe('no fresh evidence, no advance', () => {
	const proven = judgeRepeatedly(newGuard(), 12, good).state
	const next = (shown: Omit<Shown, 'sequence'>) =>
		judge(proven, lookOf({ ...shown, sequence: 13 }), parameters, withBaseline)

	test('a silent proxy holds, by name', () => {
		const { verdict, state } = next({ ...good, expected: ['a', 'b', 'c'], silent: ['b'] })
		expect(verdict).toMatchObject({ kind: 'hold', reason: 'no counters from 2 of 3 proxies: b, c', missingRequests: 0 })
		expect(state).toMatchObject({ fresh: false, silent: ['b', 'c'] })
	})

	test('of many silent proxies the state keeps a few', () => {
		const expected = Array.from({ length: 50 }, (_, index) => `proxy-${index}`)
		const { verdict, state } = next({ ...good, expected })
		expect(state.silent.length).toBe(limits.guardNamedProxies)
		expect(verdict).toMatchObject({ reason: 'no counters from 50 of 50 proxies: proxy-0, proxy-1, proxy-10, …' })
	})

	test('no traffic holds, however good the canary was before', () => {
		expect(next({ baseline: increment(2000) }).verdict).toMatchObject({
			kind: 'hold',
			reason: `no request reached ${canaryKey} in the last look`,
		})
	})

	test('a rollout that never had traffic holds and says what it needs', () => {
		const { verdicts } = judgeRepeatedly(newGuard(), 3, {})
		for (const verdict of verdicts) {
			expect(verdict).toMatchObject({ kind: 'hold', missingRequests: 756 })
			expect(verdict.kind === 'hold' && verdict.reason).toContain('about 760 more canary requests needed')
		}
	})

	test('a canary that the look does not know holds', () => {
		const other = { ...lookOf({ ...good, sequence: 13 }), canaries: {} }
		expect(judge(proven, other, parameters, withBaseline).verdict.kind).toBe('hold')
	})

	test.for([12, 1, 0, -1])('a look with sequence %i, which is not new, changes nothing', (sequence) => {
		const { state, verdict } = judge(proven, lookOf({ ...bad, sequence }), parameters, withBaseline)
		expect(state).toEqual(proven)
		expect(verdict.kind).toBe('hold')
	})
})

describe('the warm-up', () => {
	test('is shown, and neither judged nor counted as proof', () => {
		const { state, verdicts } = judgeRepeatedly(newGuard(), 20, { ...bad, warmingUp: true })
		expect(kinds(verdicts).every((kind) => kind === 'hold')).toBe(true)
		expect(verdicts.at(-1)?.numbers).toMatchObject({ evidence: 0, canary: { requests: 2000, errors: 600 } })
		expect(state).toMatchObject({ looks: 0, stepRequests: 0, lastSequence: 20 })
	})

	test('leaves the restart weight of its step to the first look that is judged', () => {
		const first = (warmUps: number) => {
			const warm = judgeRepeatedly(newGuard(), warmUps, { warmingUp: true, stepStart: true }).state
			return judgeRepeatedly(warm, 1, { baseline: increment(100) }).state
		}
		expect(first(3).canaries).toEqual(first(0).canaries)
		expect(first(3)).toMatchObject({ stepStarts: 1, stepStartDue: false, looks: 1 })
	})
})

test('a look that starts a step gets its restart weight, also when nobody said so before', () => {
	const begun = judgeRepeatedly(newGuard(), 2, {}).state
	expect(judgeRepeatedly(begun, 1, { stepStart: true }).state.stepStarts).toBe(2)
	expect(judgeRepeatedly(begun, 1, {}).state.stepStarts).toBe(1)
})

test('what is dropped of a stored number is never evidence', () => {
	const look = lookOf({ ...good, sequence: 1 })
	const { state } = judge(newGuard(), look, parameters, withBaseline)
	const restart = restartWeight({ look: 1, stepStart: true, steps: parameters.steps })
	const exact = addLook(noEvidence, look.canaries[canaryKey]?.final.logFactors ?? [], { ...parameters, restart })
	for (const [index, log] of unpackLogs(state.canaries[canaryKey]?.final.evidence ?? '').entries()) {
		const dropped = (exact[index] ?? Number.NaN) - log
		expect(dropped).toBeGreaterThanOrEqual(0)
		expect(dropped).toBeLessThan(1.1e-4)
	}
})

test('step starts get their restart weight as often as there are steps, no more', () => {
	let state = newGuard()
	for (let step = 0; step < 9; step += 1) state = startStep(judgeRepeatedly(state, 2, {}).state)
	expect(state.stepStarts).toBe(parameters.steps)
})

test('one α for all: healthy looks of two canaries and two metrics share the evidence that is needed', () => {
	const canaries = ['one', 'two']
	const fold = createFold({ canaries, hardLimitPpm: 500_000 })
	let state = startGuard({ canaries, parameters })
	let alone = newGuard()
	for (let sequence = 1; sequence <= 3; sequence += 1) {
		foldSample(fold, {
			...sample({ baseline: increment(1900, 2) }),
			canaries: { one: increment(100, 30), two: increment(100) },
		})
		const closing = { sequence, stepStart: false, warmingUp: false, expected: ['a'], silent: [], parameters }
		state = judge(state, closeLook(fold, closing), parameters, withBaseline).state
		alone = judge(alone, lookOf({ ...bad, sequence }), parameters, withBaseline).state
	}
	const last = (of: GuardState, sequence: number) =>
		judge(of, lookOf({ sequence, warmingUp: true }), parameters, withBaseline).verdict.numbers
	expect(last(state, 4).target).toBe('one')
	expect(last(state, 4).evidence / last(alone, 4).evidence).toBeCloseTo(0.5, 1)
	expect(state.stepRequests).toBe(300)
})

describe('where the shares leave the baseline no traffic', () => {
	test('the canary is taken back when it is over the absolute limit, with the same α', () => {
		const { verdicts } = judgeRepeatedly(newGuard(), 10, { canary: increment(1000, 200) }, withoutBaseline)
		expect(kinds(verdicts).slice(0, 3)).toEqual(['hold', 'hold', 'hold'])
		const back = verdicts.find((verdict) => verdict.kind === 'rollBack')
		expect(back?.kind === 'rollBack' && back.reason).toContain('against no baseline')
	})

	test('it is proven below the limit', () => {
		const { verdicts } = judgeRepeatedly(newGuard(), 4, { canary: increment(100, 1) }, withoutBaseline)
		expect(verdicts.at(-1)?.kind).toBe('advance')
		const few = judgeRepeatedly(newGuard(), 1, { canary: increment(20) }, withoutBaseline)
		expect(few.verdicts[0]).toMatchObject({ kind: 'hold', missingRequests: 56 })
	})

	test('errors of attempts alone do not count there', () => {
		const { verdicts } = judgeRepeatedly(
			newGuard(),
			20,
			{ canary: increment(1000, 2, { retries: 500 }) },
			withoutBaseline,
		)
		expect(kinds(verdicts)).not.toContain('rollBack')
	})

	test('a proof that was had against the baseline stands', () => {
		const proven = startStep(judgeRepeatedly(newGuard(), 12, good).state)
		expect(judgeRepeatedly(proven, 1, { canary: increment(3) }, withoutBaseline).verdicts[0]?.kind).toBe('advance')
	})

	test('evidence from before counts on', () => {
		const suspect = judgeRepeatedly(newGuard(), 2, bad).state
		const onwards = judgeRepeatedly(suspect, 10, { canary: increment(1000, 200) }, withoutBaseline)
		const afresh = judgeRepeatedly(newGuard(), 10, { canary: increment(1000, 200) }, withoutBaseline)
		expect(kinds(onwards.verdicts).indexOf('rollBack')).toBeLessThan(kinds(afresh.verdicts).indexOf('rollBack'))
	})
})

test('a state is plain JSON', () => {
	const arms = fc.record({ requests: fc.maxSafeNat(), errors: fc.maxSafeNat(), retries: fc.maxSafeNat() })
	const looks = fc.array(fc.tuple(arms, arms, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 8 })
	fc.assert(
		fc.property(looks, (given) => {
			let state = newGuard()
			for (const [canary, baseline, warmingUp, baselineHasTraffic] of given) {
				const look = lookOf({
					canary: increment(canary.requests, canary.errors, { retries: canary.retries }),
					baseline: increment(baseline.requests, baseline.errors, { retries: baseline.retries }),
					warmingUp,
					sequence: state.lastSequence + 1,
				})
				const judged = judge(state, look, parameters, { baselineHasTraffic })
				expect(JSON.parse(JSON.stringify(judged))).toEqual(judged)
				state = judged.state
			}
		}),
		{ numRuns: count(100, 5000), seed: seed() },
	)
})

test('a state is small with two canaries, two edges and endpoints told apart', () => {
	const canaries = ['mesh/apps/virtualNode/checkout-v2:8080', 'mesh/apps/virtualNode/checkout-v3:8080']
	const given = { ...parameters, latency: { edgeMs: null, toleranceRatio: 1.25, tolerancePpm: 500 } }
	const times = { samples: 98_765, edgesMs: [5, 50, 150], atMost: [80_000, 95_000, 98_000] }
	const ofCanary = { ...times, samples: 4_321, atMost: [3_000, 4_000, 4_290] }
	const fold = createFold({ canaries, hardLimitPpm: 500_000 })
	let state = startGuard({ canaries, parameters: given })
	for (let sequence = 1; sequence <= 720; sequence += 1) {
		const canary = increment(4_321, 60, { times: ofCanary })
		foldSample(fold, {
			...sample({ baseline: increment(98_765, 812, { times }) }),
			canaries: Object.fromEntries(canaries.map((key) => [key, canary])),
		})
		for (const key of canaries)
			for (const instance of ['a', 'b'])
				foldEndpoint(fold, {
					endpoint: `${key}#ip-10-0-0-17.eu-west-1.compute.internal-${instance}`,
					canary: key,
					requests: 2_200,
					errors: 30,
				})
		const closing = { sequence, stepStart: false, warmingUp: false, expected: ['a'], silent: [], parameters: given }
		const look = closeLook(fold, { ...closing, edgesMs: state.edgesMs })
		state = judge(state, look, given, withBaseline).state
	}
	expect(state.edgesMs.length).toBe(2)
	expect(JSON.stringify(state).length).toBeLessThan(0.66 * limits.rolloutStateBytes)
})
