import { describe, expect, test } from 'vitest'
import { count, seed } from '../depth.ts'
import { mostOf, surelyAfter } from './bounds.ts'
import { steady } from './failures.ts'
import { defaultParameters, guardRule } from './guard-rule.ts'
import { fixedShare } from './ladder.ts'
import { repeatRule } from './repeat.ts'
import { onePlace } from './traffic.ts'

// When a step may be taken: r* 2, τ* 0.5 points, β 5 %, at a share of 5 %.

const rule = guardRule({
	parameters: defaultParameters,
	ladder: fixedShare(0.05),
	warmUpSeconds: 0,
	advance: 'clock',
	watches: 'proof',
})

function repeat(
	rps: number,
	shares: { canary: number; baseline: number },
	{ runs, seconds }: Record<'runs' | 'seconds', number>,
) {
	const traffic = { requestsPerSecond: rps, places: onePlace, failures: steady(shares), flushSeconds: 5 }
	return repeatRule(rule, traffic, { runs, seconds, seed: seed() })
}

describe('a canary as good as its baseline gets its proof as soon as the tables say', () => {
	test.for([
		[0.001, 10, 1465],
		[0.01, 10, 1465],
		[0.001, 100, 150],
		[0.01, 100, 150],
		[0.001, 1000, 15],
		[0.01, 1000, 15],
	] as const)('base %d, %i requests/s: within %i s', ([base, rps, within]) => {
		const runs = count(rps === 10 ? 30 : 60, 4000)
		const proven = repeat(rps, { canary: base, baseline: base }, { runs, seconds: 7200 })
		expect(proven.doneShare).toBeGreaterThanOrEqual(0.99)
		expect(surelyAfter(proven, { end: 'done', share: 0.5 })).toBeLessThanOrEqual(within)
	})
})

describe('a canary just too bad is let through at most as often as β says', () => {
	test.for([
		[0.001, 100],
		[0.01, 10],
		[0.01, 100],
		[0.001, 1000],
		[0.01, 1000],
	] as const)('base %d, %i requests/s, watched for the half hour of a deadline', ([base, rps]) => {
		const runs = count(25, 4000)
		const { doneShare } = repeat(rps, { canary: 2 * base + 0.005, baseline: base }, { runs, seconds: 1800 })
		expect(doneShare).toBeLessThanOrEqual(mostOf(0.05, runs))
	})
})
