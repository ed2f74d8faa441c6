import { expect, test } from 'vitest'
import { seededRandom } from '#base/random.ts'
import { count, seed } from '../depth.ts'
import { gammaFactor, poisson, waitingSeconds } from './draw.ts'

function drawMany(draw: () => number): { mean: number; variance: number; values: number[] } {
	const values = Array.from({ length: count(20_000, 1_000_000) }, draw)
	const mean = values.reduce((sum, value) => sum + value, 0) / values.length
	const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
	return { mean, variance, values }
}

test.for([0.03, 0.7, 5, 9.99, 10, 40, 950])('a Poisson number of mean %d has the chances of one', (mean) => {
	const random = seededRandom(seed())
	const drawn = drawMany(() => poisson(random, mean))
	const error = Math.sqrt(mean / drawn.values.length)
	expect(Math.abs(drawn.mean - mean)).toBeLessThan(4 * error)
	// The variance of a sample variance is (μ4 − σ⁴)/n, with μ4 = mean + 3 mean².
	expect(Math.abs(drawn.variance - mean)).toBeLessThan(4 * Math.sqrt((mean + 2 * mean ** 2) / drawn.values.length))
	const most = Math.floor(mean)
	let logChance = -mean
	for (let events = 1; events <= most; events += 1) logChance += Math.log(mean / events)
	const chance = Math.exp(logChance)
	const seen = drawn.values.filter((value) => value === most).length / drawn.values.length
	expect(Math.abs(seen - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / drawn.values.length))
})

test('nothing is drawn where nothing is expected', () => {
	expect(poisson(() => 0.999_999_999, 0)).toBe(0)
	expect(poisson(() => 1 - 2 ** -32, 1)).toBeLessThan(20)
})

test.for([0.5, 1, 2])('a gamma factor has mean 1 and the variation %d', (variation) => {
	const random = seededRandom(seed())
	const { mean, variance, values } = drawMany(() => gammaFactor(random, variation))
	expect(Math.abs(mean - 1)).toBeLessThan((4 * variation) / Math.sqrt(values.length))
	// Fourth moment about the mean of a gamma factor: 3σ⁴ + 6σ⁶.
	const error = Math.sqrt((2 * variation ** 4 + 6 * variation ** 6) / values.length)
	expect(Math.abs(variance - variation ** 2)).toBeLessThan(4 * error)
})

test('what comes once an hour is waited for an hour on average', () => {
	const random = seededRandom(seed())
	const { mean, values } = drawMany(() => waitingSeconds(random, 1))
	expect(Math.abs(mean - 3600)).toBeLessThan((4 * 3600) / Math.sqrt(values.length))
})
