import { expect, test } from 'vitest'
import { estimateMissingRequests, estimateProofRequests } from '#guard/estimate.ts'

const absoluteLimitPpm = 50_000
const atFivePercent = 5 / 95

test('without errors a step needs about 760 canary requests, whatever its share', () => {
	for (const canaryPerBaseline of [0, atFivePercent, 1, 99]) {
		expect(estimateProofRequests({ baselineErrorShare: 0, canaryPerBaseline, absoluteLimitPpm })).toBe(756)
	}
})

test('where there is no baseline the limit is what has to be ruled out', () => {
	const missing = estimateProofRequests({ baselineErrorShare: 0, canaryPerBaseline: Infinity, absoluteLimitPpm })
	expect(missing).toBeGreaterThan(60)
	expect(missing).toBeLessThan(100)
})

test('a canary as good as its baseline: between the figures that were measured', () => {
	const needed = (baselineErrorShare: number) =>
		estimateProofRequests({ baselineErrorShare, canaryPerBaseline: atFivePercent, absoluteLimitPpm })
	for (const share of [0.001, 0.01]) {
		expect(needed(share)).toBeGreaterThan(550)
		expect(needed(share)).toBeLessThan(1500)
	}
})

test('where errors forbid any proof it is the figure for a canary without more of them', () => {
	const hopeless = { baselineErrorShare: 0.2, canaryPerBaseline: 99, absoluteLimitPpm }
	expect(estimateProofRequests(hopeless), 'before it has begun it is said that it never ends').toBeNull()
	const begun = estimateMissingRequests([null, -8, -5, -2, -1], hopeless)
	expect(begun).toBeGreaterThan(756)
	expect(Number.isSafeInteger(begun)).toBe(true)
})

test('near the whole a proof takes far more, until it never comes', () => {
	const needed = [1, 9, 19, 99].map((canaryPerBaseline) =>
		estimateProofRequests({ baselineErrorShare: 0.01, canaryPerBaseline, absoluteLimitPpm }),
	)
	expect(needed).toEqual([expect.any(Number), expect.any(Number), null, null])
	expect(needed[1]).toBeGreaterThan(5 * Number(needed[0]))
})

test('it is always a whole number in range', () => {
	for (const baselineErrorShare of [0, 1e-9, 0.5, 1]) {
		for (const canaryPerBaseline of [0, 1e-12, 1, 1e12, Infinity]) {
			for (const proofs of [
				[0, 0, 0, 0, 0],
				[null, -1e15, -1e15, -1e15, -1e15],
				[null, null, null, null, null],
			]) {
				const missing = estimateMissingRequests(proofs, { baselineErrorShare, canaryPerBaseline, absoluteLimitPpm })
				expect(Number.isSafeInteger(missing)).toBe(true)
				expect(missing).toBeGreaterThan(0)
			}
		}
	}
})
