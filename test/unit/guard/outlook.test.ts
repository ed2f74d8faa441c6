import { describe, expect, test } from 'vitest'
import { outlookOfFailure, outlookOfSteps, type Prospect } from '#guard/outlook.ts'
import { parameters } from './traffic.ts'

// How near it comes to what happens is measured in test/statistics/outlook.test.ts.

const steps = [0.05, 0.5, 1].map((canaryShare) => ({
	canaryShare,
	baselineShare: 1 - canaryShare,
	minDurationMs: 60_000,
	minRequests: 0,
}))
const prospect: Prospect = { steps, requestsPerSecond: 100, errorShare: 0.001, warmUpMs: 15_000, parameters }
const horizonMs = 3_600_000

describe('the steps of a canary that is as good', () => {
	test('the first waits for the proof, the others for their time', () => {
		const [first, second, third] = outlookOfSteps(prospect, 0.001)
		expect(first?.canaryRequests).toBeGreaterThan(750)
		expect(first?.durationMs).toBeGreaterThan((750 / 5) * 1000)
		expect(second).toEqual({ canaryRequests: 1, durationMs: 60_000 })
		expect(third).toEqual({ canaryRequests: 1, durationMs: 60_000 })
	})

	test('requests that a step must have take their time', () => {
		const demanding = { ...prospect, steps: steps.map((step) => ({ ...step, minRequests: 30_000 })) }
		expect(outlookOfSteps(demanding, 0.001)[1]).toEqual({ canaryRequests: 30_000, durationMs: 616_000 })
	})

	test('one without a share takes its time, and the proof comes after it', () => {
		const alone = { canaryShare: 0, baselineShare: 1, minDurationMs: 600_000, minRequests: 20 }
		const [front, first] = outlookOfSteps({ ...prospect, steps: [alone, ...steps] }, 0.001)
		expect(front).toEqual({ canaryRequests: 0, durationMs: 600_000 })
		expect(first).toEqual(outlookOfSteps(prospect, 0.001)[0])
	})

	test('without traffic none ever ends', () => {
		const idle = outlookOfSteps({ ...prospect, requestsPerSecond: 0 }, 0.001)
		expect(idle.map(({ durationMs }) => durationMs)).toEqual([null, null, null])
	})
})

describe('a bad canary', () => {
	const find = (canaryErrorShare: number, given: Partial<Prospect> = {}) =>
		outlookOfFailure({ ...prospect, ...given }, { canaryErrorShare, horizonMs })

	test('that fails altogether meets the hard limit: two windows of 20 requests', () => {
		expect(find(1)).toEqual({ kind: 'found', step: 0, afterMs: 8_000 })
		expect(find(1, { requestsPerSecond: 10_000 })).toEqual({ kind: 'found', step: 0, afterMs: 2_000 })
	})

	test('meets no hard limit where the baseline fails too', () => {
		expect(find(1, { errorShare: 0.3 })).not.toEqual({ kind: 'found', step: 0, afterMs: 8_000 })
	})

	const foundAfter = (canaryErrorShare: number, given: Partial<Prospect> = {}) => {
		const fate = find(canaryErrorShare, given)
		return fate.kind === 'found' ? fate.afterMs : Infinity
	}

	test('is found the sooner the worse it is, and let through when it is hardly worse', () => {
		expect(find(0.002)).toEqual({ kind: 'letThrough' })
		const found = [0.01, 0.05, 0.2].map((share) => foundAfter(share))
		expect(found.toSorted((left, right) => right - left)).toEqual(found)
		expect(found.at(-1)).toBeLessThan(60_000)
	})

	test('is judged by the absolute limit where the baseline has no share', () => {
		const alone = { steps: steps.slice(2), requestsPerSecond: 1000 }
		expect(find(0.2, alone)).toMatchObject({ kind: 'found', step: 0 })
		expect(find(0.04, alone)).toEqual({ kind: 'letThrough' })
	})

	test('too bad for its proof stays at the first step, found or not', () => {
		const afterMs = foundAfter(0.05)
		const soon = outlookOfFailure(prospect, { canaryErrorShare: 0.05, horizonMs: afterMs - 1 })
		expect(soon).toEqual({ kind: 'held', step: 0 })
		expect(outlookOfSteps(prospect, 0.05)[0]).toEqual({ canaryRequests: null, durationMs: null })
		expect(find(1, { requestsPerSecond: 0 })).toEqual({ kind: 'held', step: 0 })
	})
})
