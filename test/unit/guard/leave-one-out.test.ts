import { describe, expect, test } from 'vitest'
import { closeLook, createFold, foldEndpoint, foldSample } from '#guard/fold.ts'
import { judge, startGuard } from '#guard/judge.ts'
import { afterLook, findWorstEndpoint, noLateFailures } from '#guard/leave-one-out.ts'
import type { GuardState, Verdict } from '#guard/look.ts'
import { canaryKey, increment, parameters, sample } from './traffic.ts'

const endpoints = (counts: Readonly<Record<string, readonly [requests: number, errors: number]>>) =>
	new Map(Object.entries(counts).map(([name, [requests, errors]]) => [name, { requests, errors }]))

/** The worst of the last one of some looks. */
function worstOf(looks: readonly ReturnType<typeof endpoints>[], sent: number) {
	const last = looks.at(-1) ?? new Map()
	return findWorstEndpoint(last, sent, looks.reduce(afterLook, noLateFailures))
}

describe('the worst endpoint', () => {
	test('is the one that failed most', () => {
		const worst = worstOf([endpoints({ a: [50, 1], b: [50, 20], c: [50, 2] })], 150)
		expect(worst).toEqual({
			endpoint: 'b',
			counts: { requests: 50, errors: 20 },
			all: { requests: 150, errors: 23 },
			endpoints: 3,
		})
	})

	test.for([
		['one endpoint alone', { a: [100, 9] }, 100],
		['endpoints that do not account for what was sent', { a: [50, 9], b: [20, 0] }, 100],
		['none', {}, 0],
	] as const)('is not known of %s', ([, counts, sent]) => {
		expect(worstOf([endpoints(counts)], sent)).toBeNull()
	})

	test.for([
		['alike', { a: [50, 9], b: [50, 11], c: [50, 10] }, 0],
		['too few to tell', { a: [50, 1], b: [50, 0], c: [50, 0] }, 0],
		['in proportion to their requests', { a: [90, 18], b: [30, 6], c: [30, 6] }, 0],
		['all at one', { a: [50, 4], b: [50, 0], c: [50, 0] }, 4],
		['most at one', { a: [50, 20], b: [50, 5], c: [50, 5] }, 20],
	] as const)('takes out what it has above chance: failures %s', ([, counts, errors]) => {
		expect(worstOf([endpoints(counts)], 150)?.counts.errors).toBe(errors)
	})

	test('is the same in each look of a version that fails now here, now there', () => {
		const byTurns = [endpoints({ a: [50, 1], b: [50, 1] }), endpoints({ a: [50, 0], b: [50, 1] })]
		const looks = [endpoints({ a: [50, 3], b: [50, 0] }), ...byTurns, ...byTurns]
		expect(looks.map((_, index) => worstOf(looks.slice(0, index + 1), 100)?.endpoint)).toEqual([
			'a',
			'a',
			'a',
			'a',
			'a',
		])
	})

	test('is at once another where that fails much more, and again when that is long over', () => {
		const looks = [endpoints({ a: [50, 3], b: [50, 0] }), endpoints({ a: [50, 0], b: [50, 20] })]
		const quiet = Array.from({ length: 50 }, () => endpoints({ a: [50, 1], b: [50, 0] }))
		expect(worstOf(looks, 100)?.endpoint).toBe('b')
		expect(worstOf([...looks, ...quiet.slice(0, 5)], 100)?.endpoint).toBe('b')
		expect(worstOf([...looks, ...quiet], 100)?.endpoint).toBe('a')
	})

	test('is one that is still there', () => {
		expect(
			worstOf([endpoints({ a: [50, 30], b: [50, 0] }), endpoints({ b: [50, 1], c: [50, 0] })], 100)?.endpoint,
		).toBe('b')
	})
})

type Endpoints = Readonly<Record<string, readonly [requests: number, errors: number]>>

/** So many looks of a canary whose endpoints count this of themselves. */
function play(looks: number, ofEndpoints: Endpoints, errors?: number) {
	const strict = { ...parameters, phi: { value: 1, source: 'proxies' } as const }
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	let state: GuardState = startGuard({ canaries: [canaryKey], parameters: strict })
	const verdicts: Verdict[] = []
	const counts = Object.entries(ofEndpoints)
	const sum = (of: 0 | 1) => counts.reduce((total, [, count]) => total + count[of], 0)
	for (let sequence = 1; sequence <= looks; sequence += 1) {
		foldSample(fold, sample({ canary: increment(sum(0) || 100, errors ?? sum(1)), baseline: increment(1900, 2) }))
		for (const [endpoint, [requests, failed]] of counts)
			foldEndpoint(fold, { endpoint, canary: canaryKey, requests, errors: failed })
		const closing = { sequence, stepStart: false, warmingUp: false, expected: ['a'], silent: [] }
		const judged = judge(state, closeLook(fold, { ...closing, parameters: strict }), strict, {
			baselineHasTraffic: true,
		})
		state = judged.state
		verdicts.push(judged.verdict)
	}
	return { verdicts, last: verdicts.at(-1), kinds: verdicts.map(({ kind }) => kind) }
}

test('one bad endpoint of three holds the rollout, by name, and does not take it back', () => {
	const { last, kinds } = play(20, { a: [34, 0], b: [33, 20], c: [33, 0] })
	expect(kinds).not.toContain('rollBack')
	expect(last).toMatchObject({
		kind: 'hold',
		code: 'BAD_ENDPOINT',
		blamed: { endpoint: 'b', errors: 400, ofErrors: 400 },
		reason: expect.stringContaining('without b, which had 400 of 400 failures of 3 endpoints'),
	})
	expect(last?.numbers.endpoints).toBe(3)
})

test('a bad version is taken back, a little later than without', () => {
	const bad = play(20, { a: [34, 10], b: [33, 11], c: [33, 10] })
	const blind = play(20, {}, 31)
	expect(bad.kinds.indexOf('rollBack')).toBeGreaterThanOrEqual(blind.kinds.indexOf('rollBack'))
	expect(bad.kinds.indexOf('rollBack')).toBeLessThanOrEqual(blind.kinds.indexOf('rollBack') + 2)
})

test.for([
	['that no endpoint explains: the connection failed before', { a: [50, 0], b: [50, 0] }],
	['of one endpoint alone', { a: [100, 30] }],
	['of endpoints that report too little', { a: [20, 10], b: [20, 0] }],
] as const)('failures %s take it back', ([, ofEndpoints]) => {
	expect(play(20, ofEndpoints, 30).kinds).toContain('rollBack')
})

test('an endpoint that is mended lets the steps go on', () => {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	let state: GuardState = startGuard({ canaries: [canaryKey], parameters })
	let last: Verdict | null = null
	for (let sequence = 1; sequence <= 90; sequence += 1) {
		const failed = sequence <= 20 ? 20 : 0
		foldSample(fold, sample({ canary: increment(100, failed), baseline: increment(1900, 2) }))
		foldEndpoint(fold, { endpoint: 'a', canary: canaryKey, requests: 50, errors: 0 })
		foldEndpoint(fold, { endpoint: 'b', canary: canaryKey, requests: 50, errors: failed })
		const closing = { sequence, stepStart: false, warmingUp: false, expected: ['a'], silent: [], parameters }
		const judged = judge(state, closeLook(fold, closing), parameters, { baselineHasTraffic: true })
		state = judged.state
		last = judged.verdict
		if (sequence === 20) expect(last).toMatchObject({ code: 'BAD_ENDPOINT' })
	}
	expect(last?.kind === 'hold' ? last.code : last?.kind).not.toBe('BAD_ENDPOINT')
})

test('counts of endpoints are those of one look, and of no more endpoints than may be told apart', () => {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	for (let index = 0; index < 3000; index += 1)
		foldEndpoint(fold, { endpoint: `e${index}`, canary: canaryKey, requests: 1, errors: 0 })
	expect(fold.endpoints.get(canaryKey)?.size).toBe(1000)
	foldEndpoint(fold, { endpoint: 'x', canary: 'nobody', requests: 1, errors: 1 })
	closeLook(fold, { sequence: 1, stepStart: false, warmingUp: false, expected: [], silent: [], parameters })
	expect(fold.endpoints.get(canaryKey)?.size).toBe(0)
})
