import { expect, test } from 'vitest'
import { addRequestTimes, latencyEdgesMs, noRequestTimes, slowerThan } from '#base/request-times.ts'

const left = { samples: 10, edgesMs: [1, 5, 10], atMost: [2, 6, 9] }
const right = { samples: 5, edgesMs: [5, 10, 20], atMost: [1, 3, 4] }

test('a sum knows the edges that both have', () => {
	expect(addRequestTimes(left, right)).toEqual({ samples: 15, edgesMs: [5, 10], atMost: [7, 12] })
	expect(addRequestTimes(left, noRequestTimes)).toEqual(left)
	expect(addRequestTimes(noRequestTimes, left)).toEqual(left)
})

test('of the same edges all are known; one that comes twice is the first of them', () => {
	expect(addRequestTimes(left, { ...left, samples: 1, atMost: [0, 1, 1] })).toEqual({
		...left,
		samples: 11,
		atMost: [2, 7, 10],
	})
	const twice = { samples: 3, edgesMs: [5, 5], atMost: [1, 2] }
	expect(addRequestTimes(twice, twice)).toEqual({ samples: 6, edgesMs: [5, 5], atMost: [2, 2] })
})

test('slower is what is not at most so long; of no times it is none, of an unknown edge nothing is known', () => {
	expect(slowerThan(left, 5)).toBe(4)
	expect(slowerThan(noRequestTimes, 5)).toBe(0)
	expect(slowerThan(left, 7)).toBeNull()
})

test('edges rise, and none is more than twice the one before', () => {
	for (const [index, edge] of latencyEdgesMs.entries()) {
		const before = latencyEdgesMs[index - 1] ?? edge / 2
		expect(edge / before).toBeGreaterThan(1)
		expect(edge / before).toBeLessThanOrEqual(2)
	}
})
