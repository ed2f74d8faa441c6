import { describe, expect, test } from 'vitest'
import { absoluteErrorBets, absoluteProofBets } from '#guard/absolute-test.ts'
import { fair, meanWinnings } from './exact-mean.ts'

const noBaseline = { requests: 0, errorShare: 0 }

describe.for([0.001, 0.05, 0.5, 1])('with a limit of %f', (limit) => {
	test('no bet on a bad canary is more than fair at the limit or below', () => {
		for (const requests of [1, 20, 200]) {
			for (const errorShare of [0, limit / 10, limit]) {
				for (const bet of absoluteErrorBets(limit)) {
					expect(meanWinnings(bet, { requests, errorShare }, noBaseline)).toBeLessThanOrEqual(fair)
				}
			}
		}
	})

	test('no bet on a good canary is more than fair at the limit or above', () => {
		for (const requests of [1, 20, 200]) {
			for (const errorShare of [limit, Math.min(1, limit * 1.5), 1]) {
				for (const bet of absoluteProofBets(limit)) {
					expect(meanWinnings(bet, { requests, errorShare }, noBaseline)).toBeLessThanOrEqual(fair)
				}
			}
		}
	})
})

test('at the limit the bets on a bad canary are exactly fair: none of their strength is lost', () => {
	for (const bet of absoluteErrorBets(0.05)) {
		expect(meanWinnings(bet, { requests: 40, errorShare: 0.05 }, noBaseline)).toBeCloseTo(1, 9)
	}
})
