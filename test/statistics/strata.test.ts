import { describe, expect, test } from 'vitest'
import { addCounts } from '#guard/arms.ts'
import { count, seed } from '../depth.ts'
import { mostOf, surelyBackAfter } from './bounds.ts'
import { steady } from './failures.ts'
import { defaultParameters, guardRule, shippedParameters } from './guard-rule.ts'
import { fixedShare, secondsOf, tableLadder } from './ladder.ts'
import { medianUntil, type Repeated, repeatRule } from './repeat.ts'
import type { Rule } from './rule.ts'
import { equalPlaces, type Failures, onePlace, type Place } from './traffic.ts'

// Many proxies: those that are alike are pooled, those that are not never are.

describe('one of two zones fails at 5 % for both versions, and only there have the shares come', () => {
	const places = [
		{ proxy: 'ill', zone: 'a', part: 0.5, shares: 'inForce' },
		{ proxy: 'well', zone: 'b', part: 0.5, shares: 'none' },
	] as const
	const failures: Failures = () => (moment) => {
		const share = moment.place.zone === 'a' ? 0.05 : 0.001
		return { canary: share, baseline: share }
	}
	const guard = guardRule({
		parameters: defaultParameters,
		ladder: tableLadder,
		warmUpSeconds: 15,
		advance: 'clock',
		watches: 'whole',
	})
	const run = (rule: Rule, requestsPerSecond: number): Repeated => {
		const traffic = { requestsPerSecond, places, failures, flushSeconds: 1 }
		return repeatRule(rule, traffic, { runs: count(30, 4000), seconds: secondsOf(tableLadder), seed: seed() })
	}

	test.for([100, 1000])('%i requests/s: the healthy canary stays', (requestsPerSecond) => {
		const { backShare, runs } = run(guard, requestsPerSecond)
		expect(backShare).toBeLessThanOrEqual(mostOf(defaultParameters.alpha, runs))
	})

	test('it is strata that save it: summed up before the guard sees them, the zones take it back', () => {
		expect(run(pooled(guard), 1000).backShare).toBeGreaterThan(0.9)
	})
})

/** The same rule, shown all places as if they were one. */
function pooled(rule: Rule): Rule {
	return {
		start() {
			const running = rule.start()
			return {
				share: running.share,
				take(flushes, seconds) {
					const [first] = flushes
					if (first === undefined) return running.take([], seconds)
					const canary = flushes.map((flush) => flush.canary).reduce(addCounts)
					const baseline = flushes.map((flush) => flush.baseline).reduce(addCounts)
					return running.take([{ ...first, canary, baseline }], seconds)
				},
			}
		},
	}
}

describe('100 requests/s over 1,000 proxies, against the same through one', () => {
	const setting = {
		ladder: fixedShare(0.05),
		warmUpSeconds: 0,
		advance: 'clock',
		parameters: defaultParameters,
	} as const
	const run = (places: readonly Place[], canary: number, runs: number, watches: 'errorTest' | 'whole') => {
		const failures = steady({ canary, baseline: 0.01 })
		const flushSeconds = watches === 'whole' ? 1 : 5
		const traffic = { requestsPerSecond: 100, places, failures, flushSeconds }
		return repeatRule(guardRule({ ...setting, watches }), traffic, { runs, seconds: 1000, seed: seed() })
	}

	test('five times as bad at 1 %, the error test: within 1.3 times', () => {
		const one = run(onePlace, 0.05, count(200, 4000), 'errorTest')
		const many = run(equalPlaces(1000), 0.05, count(10, 400), 'errorTest')
		expect(many.backShare).toBe(1)
		expect(surelyBackAfter(many)).toBeLessThanOrEqual(1.3 * medianUntil(one, 'back'))
	})

	test('failing altogether, the whole guard: within 1.3 times', () => {
		const one = run(onePlace, 1, count(100, 1000), 'whole')
		const many = run(equalPlaces(1000), 1, count(3, 100), 'whole')
		expect(many.backShare).toBe(1)
		expect(surelyBackAfter(many)).toBeLessThanOrEqual(1.3 * medianUntil(one, 'back'))
	})
})

describe('five times as bad at 1 %, as shipped, is found', () => {
	const run = (places: readonly Place[], requestsPerSecond: number) => {
		const traffic = { requestsPerSecond, places, failures: steady({ canary: 0.05, baseline: 0.01 }), flushSeconds: 5 }
		const setting = {
			parameters: shippedParameters,
			ladder: tableLadder,
			warmUpSeconds: 0,
			advance: 'clock',
			watches: 'errorTest',
		} as const
		return repeatRule(guardRule(setting), traffic, { runs: count(25, 1000), seconds: 300, seed: seed() })
	}

	test('where one gateway has nearly all traffic: within 50 s', () => {
		const places = [0.98, 0.01, 0.01].map((part, index): Place => ({ ...named(index), part }))
		expect(surelyBackAfter(run(places, 1000))).toBeLessThanOrEqual(50)
	})

	test('where 50 proxies share thin traffic: within 140 s', () => {
		expect(surelyBackAfter(run(equalPlaces(50), 100))).toBeLessThanOrEqual(140)
	})
})

function named(index: number): Omit<Place, 'part'> {
	return { proxy: `gateway-${index}`, zone: 'zone', shares: 'inForce' }
}
