// Users that are drawn, and not requests: what one account does is no finding about a version.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '#base/random.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { expectedProofRequests } from '#guard/estimate.ts'
import { closeLook, createFold, foldSample } from '#guard/fold.ts'
import { judge, startGuard } from '#guard/judge.ts'
import type { ArmIncrement, GuardParameters, GuardState, Verdict } from '#guard/look.ts'
import { outlookOfFailure, type Prospect } from '#guard/outlook.ts'
import { count, seed } from '../../depth.ts'
import { canaryKey, increment, parameters, sample } from './traffic.ts'

const ofUsers: GuardParameters = { ...parameters, drawn: 'users' }

type Arms = { readonly canary: ArmIncrement; readonly baseline: ArmIncrement }

/** Until the first way back. */
function play(looks: readonly Arms[], given = ofUsers, baselineHasTraffic = true) {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	let state: GuardState = startGuard({ canaries: [canaryKey], parameters: given })
	const verdicts: Verdict[] = []
	for (const [index, arms] of looks.entries()) {
		foldSample(fold, sample(arms))
		const closing = { sequence: index + 1, stepStart: index === 0, warmingUp: false, expected: ['a'], silent: [] }
		const look = closeLook(fold, { ...closing, parameters: given, edgesMs: state.edgesMs })
		const judged = judge(state, look, given, { baselineHasTraffic })
		state = judged.state
		verdicts.push(judged.verdict)
		if (judged.verdict.kind === 'rollBack') break
	}
	return { state, last: verdicts.at(-1), kinds: [...new Set(verdicts.map(({ kind }) => kind))] }
}

const repeat = (looks: number, canary: ArmIncrement, baseline: ArmIncrement = increment(1900)) =>
	Array.from({ length: looks }, (): Arms => ({ canary, baseline }))

describe('what takes it back', () => {
	test('is more failures than the limit allows, whatever the baseline does, in words of its own', () => {
		const { last } = play(repeat(40, increment(100, 20)))
		expect(last?.kind === 'rollBack' && last.reason).toMatch(
			/: canary \d+\/\d+ errors \(20 %\) against a limit of 5.0 %, beside baseline 0\/[\d,]+ \(0 %\); evidence \d+/,
		)
	})

	test.for([
		['a few failures that the old version has not', increment(100, 3)],
		['attempts that a retry hides', increment(100, 0, { retries: 60 })],
	] as const)('is not %s, though the step waits', ([, canary]) => {
		expect(play(repeat(60, canary), parameters).last?.kind).toBe('rollBack')
		const { last, kinds } = play(repeat(60, canary))
		expect([last, kinds]).toMatchObject([{ kind: 'hold', code: 'MORE_REQUESTS' }, ['hold']])
	})

	test('is not how long their requests take, though the step waits', () => {
		const timed = (fast: number): RequestTimes => ({ samples: 100, edgesMs: [100, 200], atMost: [fast, 100] })
		const given: GuardParameters = {
			...ofUsers,
			latency: { edgeMs: 100, toleranceRatio: 1.25, tolerancePpm: 500 },
		}
		const looks = repeat(60, increment(100, 0, { times: timed(40) }), increment(100, 0, { times: timed(99) }))
		expect(play(looks, { ...given, drawn: 'requests' }).last?.kind).toBe('rollBack')
		expect(play(looks, given).kinds).toEqual(['hold'])
	})

	test('is nothing that fails both alike', () => {
		const { last, kinds } = play(repeat(60, increment(100, 30), increment(1900, 570)))
		expect([last, kinds]).toMatchObject([{ kind: 'hold', code: 'SHARED_INCIDENT' }, ['hold']])
	})

	test('is the limit where there is no baseline, as ever', () => {
		const alone = repeat(40, increment(100, 20), increment(0))
		expect(play(alone, ofUsers, false).last?.kind).toBe('rollBack')
	})
})

describe('a step', () => {
	test('needs both proofs: below the limit, and no worse than the others', () => {
		expect(play(repeat(12, increment(100))).last?.kind).toBe('advance')
		const strict = { ...ofUsers, absoluteLimitPpm: 1_000 }
		expect(play(repeat(12, increment(100)), strict).last?.kind, 'which takes 3,000 requests and more').toBe('hold')
		expect(play(repeat(60, increment(100)), strict).last?.kind).toBe('advance')
	})

	test('takes as many requests as the slower of the two', () => {
		const outlook = { baselineErrorShare: 0, canaryErrorShare: 0, canaryPerBaseline: 1 / 19 }
		const requests = (absoluteLimitPpm: number, drawn: 'requests' | 'users' = 'users') =>
			expectedProofRequests({ ...outlook, absoluteLimitPpm, drawn }) ?? 0
		expect(requests(50_000)).toBe(requests(50_000, 'requests'))
		expect(requests(1_000)).toBeGreaterThan(3 * requests(1_000, 'requests'))
	})
})

test('a plan says what will not be found', () => {
	const steps = [{ canaryShare: 0.05, baselineShare: 0.95, minDurationMs: 60_000, minRequests: 0 }]
	const prospect: Prospect = { steps, requestsPerSecond: 1_000, errorShare: 0, warmUpMs: 0, parameters: ofUsers }
	const fate = (canaryErrorShare: number, drawn: 'requests' | 'users') =>
		outlookOfFailure({ ...prospect, parameters: { ...ofUsers, drawn } }, { canaryErrorShare, horizonMs: 1_800_000 })
	expect([fate(0.03, 'requests'), fate(0.03, 'users')]).toMatchObject([{ kind: 'found' }, { kind: 'held' }])
	expect([fate(0.2, 'requests'), fate(0.2, 'users')]).toMatchObject([{ kind: 'found' }, { kind: 'found' }])
})

test('one broken account takes back healthy versions by the comparison as often as it is drawn, and none by the limit', () => {
	const random = seededRandom(seed())
	const runs = count(100, 2_000)
	const share = 0.3
	let [byComparison, byLimit] = [0, 0]
	for (let run = 0; run < runs; run += 1) {
		// It sends one request in a hundred, and all of them fail.
		const isCanary = random() < share
		const looks = repeat(20, increment(300, isCanary ? 10 : 0), increment(700, isCanary ? 0 : 10))
		if (play(looks, parameters).last?.kind === 'rollBack') byComparison += 1
		if (play(looks).last?.kind === 'rollBack') byLimit += 1
	}
	expect(byComparison / runs).toBeGreaterThan(10 * parameters.alpha)
	expect(byLimit).toBe(0)
})
