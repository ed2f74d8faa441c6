import { describe, expect, test } from 'vitest'
import { type Fate, outlookOfFailure, outlookOfSteps, type Prospect } from '#guard/outlook.ts'
import { count, seed } from '../depth.ts'
import { steady } from './failures.ts'
import { guardRule, shippedParameters } from './guard-rule.ts'
import { fixedShare, tableLadder } from './ladder.ts'
import { medianUntil, type Repeated, repeatRule } from './repeat.ts'
import { onePlace } from './traffic.ts'

// What `sluice plan` promises of time, against rollouts of the guard itself: within the factors that it states.

const warmUpSeconds = 15
const parameters = shippedParameters

function prospectOf(shares: readonly number[], stepSeconds: number, traffic: { rps: number; base: number }): Prospect {
	return {
		steps: shares.map((share) => ({
			canaryShare: share,
			baselineShare: 1 - share,
			minDurationMs: stepSeconds * 1000,
			minRequests: 0,
		})),
		requestsPerSecond: traffic.rps,
		errorShare: traffic.base,
		warmUpMs: warmUpSeconds * 1000,
		parameters,
	}
}

function expectWithin(factor: number, estimate: number, median: number): void {
	expect(estimate).toBeGreaterThan(median / factor)
	expect(estimate).toBeLessThan(median * factor)
}

describe('the proof of the first step', () => {
	test.for([
		[0.001, 10, 0.05],
		[0.01, 10, 0.1],
		[0.001, 100, 0.05],
		[0.01, 100, 0.25],
		[0.01, 1000, 0.05],
	] as const)('base %d, %i requests/s, share %d', ([base, rps, share]) => {
		const rule = guardRule({ parameters, ladder: fixedShare(share), warmUpSeconds, advance: 'clock', watches: 'proof' })
		const traffic = { requestsPerSecond: rps, places: onePlace, failures: steady({ canary: base, baseline: base }) }
		const runs = count(25, 1000)
		const proven = repeatRule(rule, { ...traffic, flushSeconds: 1 }, { runs, seconds: 7200, seed: seed() })
		const [first] = outlookOfSteps(prospectOf([share], 0, { rps, base }), base)
		expectWithin(2, (first?.durationMs ?? 0) / 1000, medianUntil(proven, 'done'))
	})
})

describe('a bad canary on the ladder of the tables, each step of a minute at least', () => {
	const run = (rps: number, shares: { baseline: number; canary: number }, horizonSeconds: number): Repeated => {
		const rule = guardRule({ parameters, ladder: tableLadder, warmUpSeconds, advance: 'proof', watches: 'whole' })
		const traffic = { requestsPerSecond: rps, places: onePlace, failures: steady(shares), flushSeconds: 1 }
		return repeatRule(rule, traffic, { runs: count(15, 1000), seconds: horizonSeconds, seed: seed() })
	}
	const fateOf = (rps: number, shares: { baseline: number; canary: number }, horizonSeconds: number): Fate => {
		const prospect = prospectOf(tableLadder.shares, tableLadder.stepSeconds, { rps, base: shares.baseline })
		return outlookOfFailure(prospect, { canaryErrorShare: shares.canary, horizonMs: horizonSeconds * 1000 })
	}

	test.for([
		[0.001, 1000, 0.02],
		[0.001, 1000, 1],
		[0.001, 100, 0.02],
		[0.001, 100, 0.1],
		[0.01, 10, 0.1],
		[0.01, 10, 1],
		[0.01, 100, 0.05],
		[0.01, 100, 1],
		[0.01, 1000, 0.05],
	] as const)('base %d, %i requests/s, canary %d is found', ([baseline, rps, canary]) => {
		const fate = fateOf(rps, { baseline, canary }, 7200)
		if (fate.kind !== 'found') throw new Error(fate.kind)
		expectWithin(1.5, fate.afterMs / 1000, medianUntil(run(rps, { baseline, canary }, 7200), 'back'))
	})

	test.for([
		[0.001, 1000, 0.002],
		[0.001, 100, 0.002],
		[0.001, 10, 0.0015],
	] as const)('base %d, %i requests/s, canary %d is let through', ([baseline, rps, canary]) => {
		expect(fateOf(rps, { baseline, canary }, 7200)).toEqual({ kind: 'letThrough' })
		const { doneShare, backShare } = run(rps, { baseline, canary }, 7200)
		expect(doneShare).toBeGreaterThan(0.5)
		expect(backShare).toBeLessThan(0.5)
	})

	test('base 1 %, 10 requests/s, canary 4 % is neither, within half an hour', () => {
		const shares = { baseline: 0.01, canary: 0.04 }
		expect(fateOf(10, shares, 1800)).toEqual({ kind: 'held', step: 0 })
		const { doneShare, backShare } = run(10, shares, 1800)
		expect(doneShare + backShare).toBeLessThan(0.5)
	})
})
