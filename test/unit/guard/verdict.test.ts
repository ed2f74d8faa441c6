import { describe, expect, test } from 'vitest'
import { count, seed } from '../../depth.ts'
import { parameters, simulateRollout, type Traffic } from './traffic.ts'

// What the guard does over whole rollouts of random traffic: five steps (5, 10, 25, 50, 75 %) of twelve looks each. The
// bounds are the measured times of the method with room for chance; a seed gives the same rollouts each time.

const none = { value: 1, source: 'endpoints' } as const

function simulateMany(runs: number, traffic: Omit<Traffic, 'seed'>) {
	return Array.from({ length: runs }, (_, index) => simulateRollout({ ...traffic, seed: seed() * 1_000_003 + index }))
}

const steady = { requestsPerSecond: 1000, baselineErrors: 0.01, canaryErrors: 0.01, proxies: [1], parameters }

describe('a canary as good as its baseline', () => {
	const small = { ...steady, requestsPerSecond: 200 }

	test.for([
		['with the default over-dispersion', parameters],
		['without over-dispersion', { ...parameters, phi: none }],
		['with no tolerance at all', { ...parameters, phi: none, toleranceRatio: 1, tolerancePpm: 0 }],
	] as const)('is hardly ever taken back, %s', ([, given]) => {
		const outcomes = simulateMany(count(100, 5000), { ...small, parameters: given })
		const alarms = outcomes.filter((outcome) => outcome.rolledBackAt !== null)
		// α promises at most 1 % of them; what was measured is 0.03 %.
		expect(alarms.length).toBeLessThanOrEqual(Math.max(1, outcomes.length * 0.002))
	})

	test('gets its proof', () => {
		const outcomes = simulateMany(count(20, 500), steady)
		for (const { advancedAt } of outcomes) expect(advancedAt).not.toBe(null)
	})
})

describe('a canary five times as bad is always taken back, in looks of 5 s', () => {
	const bad = { ...steady, canaryErrors: 0.05 }

	test.for([
		['at 1 % errors: 30 s were measured', { ...bad, parameters: { ...parameters, phi: none } }, 6, 12],
		['with the default over-dispersion', bad, 8, 18],
		[
			'at 0.1 %: 100 s',
			{ ...bad, baselineErrors: 0.001, canaryErrors: 0.005, parameters: { ...parameters, phi: none } },
			22,
			44,
		],
		['where one gateway has nearly all traffic', { ...bad, proxies: [0.98, 0.01, 0.01] }, 10, 22],
		[
			'where 50 proxies share thin traffic',
			{ ...bad, requestsPerSecond: 100, proxies: Array<number>(50).fill(1 / 50) },
			28,
			58,
		],
	] as const)('%s', ([, traffic, median, slowest]) => {
		const looks = simulateMany(count(25, 1000), traffic).map(({ rolledBackAt }) => rolledBackAt ?? Infinity)
		looks.sort((left, right) => left - right)
		expect(looks[0]).toBeGreaterThanOrEqual(4)
		expect(looks[Math.floor(looks.length / 2)]).toBeLessThanOrEqual(median)
		expect(looks.at(-1)).toBeLessThanOrEqual(slowest)
	})
})

test('a canary just too bad is hardly ever let through: β is 5 %', () => {
	const outcomes = simulateMany(count(100, 5000), { ...steady, requestsPerSecond: 100, canaryErrors: 0.025 })
	const wrong = outcomes.filter(({ advancedAt }) => advancedAt !== null)
	expect(wrong.length).toBeLessThanOrEqual(outcomes.length * 0.05)
})
