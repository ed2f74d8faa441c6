import { describe, expect, test } from 'vitest'
import { latencyEdgesMs, noRequestTimes, type RequestTimes } from '#base/request-times.ts'
import { closeLook, createFold, foldSample } from '#guard/fold.ts'
import { judge, startGuard } from '#guard/judge.ts'
import { chooseEdges, timesForEdges } from '#guard/latency.ts'
import type { GuardParameters, GuardState, Verdict } from '#guard/look.ts'
import { noProofs } from '#guard/non-inferiority.ts'
import { packLogs } from '#guard/packed-logs.ts'
import { canaryKey, increment, parameters, sample } from './traffic.ts'

/** Requests that took so long, by milliseconds. */
function times(counts: Readonly<Record<number, number>>): RequestTimes {
	const entries = Object.entries(counts).map(([ms, count]) => [Number(ms), count] as const)
	const upTo = (edge: number) => entries.reduce((sum, [ms, count]) => sum + (ms <= edge ? count : 0), 0)
	return {
		samples: entries.reduce((sum, [, count]) => sum + count, 0),
		edgesMs: [...latencyEdgesMs],
		atMost: latencyEdgesMs.map(upTo),
	}
}

const answered = (counts: Readonly<Record<number, number>>, completed?: number) => {
	const ofArm = times(counts)
	return increment(completed ?? ofArm.samples, 0, { times: ofArm })
}

describe('edges follow from the baseline', () => {
	test.for([
		['5 % and 1 % are beyond', { 4: 900, 40: 80, 140: 20 }, [50, 150]],
		['one where both are the same', { 4: 1000 }, [5]],
		['faster than all that is counted', { 0: 1000 }, [1]],
		['slower than all that is counted', { 20000: 1000 }, [10_000]],
	] as const)('%s', ([, counts, expected]) => {
		expect(chooseEdges(times(counts))).toEqual(expected)
	})

	test('of no times there are none', () => {
		expect(chooseEdges(noRequestTimes)).toEqual([])
	})
})

const withLatency: GuardParameters = {
	...parameters,
	phi: { value: 1, source: 'endpoints' },
	latency: { edgeMs: null, toleranceRatio: 1.25, tolerancePpm: 500 },
}
type Arms = Parameters<typeof sample>[0]

function play(looks: readonly Arms[], given = withLatency, baselineHasTraffic = true) {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	let state: GuardState = startGuard({ canaries: [canaryKey], parameters: given })
	const verdicts: Verdict[] = []
	for (const [index, arms] of looks.entries()) {
		foldSample(fold, sample(arms))
		const closing = { sequence: index + 1, stepStart: false, warmingUp: false, expected: ['a'], silent: [] }
		const look = closeLook(fold, { ...closing, parameters: given, edgesMs: state.edgesMs })
		const judged = judge(state, look, given, { baselineHasTraffic })
		state = judged.state
		verdicts.push(judged.verdict)
	}
	return { state, verdicts, last: verdicts.at(-1) }
}

const usual = { canary: answered({ 4: 96, 40: 3, 140: 1 }), baseline: answered({ 4: 860, 40: 30, 140: 10 }) }
const slow = { ...usual, canary: answered({ 12: 90, 120: 9, 420: 1 }) }

describe('the comparison', () => {
	test('chooses its edges once, and keeps them', () => {
		expect(play([{}]).state.edgesMs).toEqual([])
		const { state } = play([usual, usual])
		expect(state.edgesMs).toEqual([5, 150])
		expect(play([usual, ...Array(5).fill(slow)]).state.edgesMs).toEqual([5, 150])
		expect(state.canaries[canaryKey]?.latency).toMatchObject([
			{ counts: [100, 4, 900, 40] },
			{ counts: [100, 0, 900, 0] },
		])
	})

	test('takes back a canary three times as slow, though it fails no request', () => {
		const { last, verdicts } = play([usual, ...Array(8).fill(slow)])
		const back = verdicts.find(({ kind }) => kind === 'rollBack')
		expect(back?.numbers).toMatchObject({ metric: 'latency', edgeMs: 5 })
		expect(back?.kind === 'rollBack' && back.reason).toMatch(
			/canary \d+\/\d+ slower than 5 ms \(\d+ %\) against baseline/,
		)
		expect(last).toBeDefined()
	})

	test('lets a canary pass that is as quick, when it has its proof', () => {
		const { verdicts } = play(Array(20).fill(usual))
		expect(verdicts[0]?.kind).toBe('hold')
		expect(verdicts.at(-1)?.kind).toBe('advance')
		expect(verdicts.map(({ kind }) => kind)).not.toContain('rollBack')
	})

	test('waits for edges, and says so', () => {
		const few = { canary: answered({ 4: 10 }), baseline: answered({ 4: 90 }) }
		expect(play([few]).last).toMatchObject({
			reason: `how long the baseline's requests take is not known yet: 90 of ${timesForEdges} were timed`,
		})
	})

	test('calls it no evidence when the requests came and nobody timed them', () => {
		const nobodyTimed = { canary: answered({}, 30), baseline: answered({}, 270) }
		const { verdicts } = play(Array(4).fill(nobodyTimed))
		expect(verdicts.map((verdict) => verdict.kind === 'hold' && verdict.code)).toEqual([
			'MORE_REQUESTS',
			'NO_EVIDENCE',
			'NO_EVIDENCE',
			'NO_EVIDENCE',
		])
	})

	test('a threshold of the policy is the only edge', () => {
		const named: GuardParameters = { ...withLatency, latency: { edgeMs: 100, toleranceRatio: 1.25, tolerancePpm: 500 } }
		const { state, verdicts } = play([usual, ...Array(12).fill(slow)], named)
		expect(state.edgesMs).toEqual([100])
		expect(verdicts.find(({ kind }) => kind === 'rollBack')?.numbers).toMatchObject({ edgeMs: 100 })
	})
})

describe('incomplete times are no evidence', () => {
	const untimed = (arm: 'canary' | 'baseline') => ({ ...slow, [arm]: answered({ 4: 10 }, 100) })

	test.for(['canary', 'baseline'] as const)('of the %s: neither against it nor for it', (arm) => {
		const { state, last } = play([usual, ...Array(30).fill(untimed(arm))])
		expect(last).toMatchObject({
			kind: 'hold',
			code: 'NO_EVIDENCE',
			reason: `request times of ${canaryKey} are incomplete`,
		})
		expect(state.canaries[canaryKey]?.latency[0]).toMatchObject({ proofs: packLogs(noProofs), counts: [0, 0, 0, 0] })
	})

	test('a proof from before does not make them good', () => {
		const proven = [...Array(20).fill(usual), untimed('canary')]
		expect(play(proven).last).toMatchObject({
			kind: 'hold',
			code: 'NO_EVIDENCE',
			reason: expect.stringContaining('incomplete'),
		})
	})

	test('what failed needs no time, and the last few of a flush may come with the next', () => {
		const failed = { ...usual, canary: increment(200, 100, { times: times({ 4: 91, 40: 3, 140: 1 }) }) }
		expect(play([usual, failed]).state.canaries[canaryKey]?.latency[0]?.counts[0]).toBe(95)
	})

	test('an edge that a proxy does not count at is not known there', () => {
		const other = { samples: 100, edgesMs: [3, 9], atMost: [50, 100] }
		const { last } = play([usual, { ...usual, canary: increment(100, 0, { times: other }) }])
		expect(last).toMatchObject({ kind: 'hold', code: 'NO_EVIDENCE', reason: expect.stringContaining('incomplete') })
	})
})

test('without a baseline nothing is said of latency, and its proof is not asked for', () => {
	const { last, state } = play(Array(4).fill({ canary: answered({ 4000: 100 }) }), withLatency, false)
	expect(last?.kind).toBe('advance')
	expect(state.edgesMs).toEqual([])
})
