import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resourceId } from '#mesh/mesh.ts'
import { type Split, wholePpm } from '#plan/plan.ts'
import { formatSplit, isSameSplit, shareOf, splitBetween, splitOfWeights } from '#plan/split.ts'
import { count, seed } from '../../depth.ts'

const target = (name: string) => ({ virtualNode: resourceId.virtualNode('apps', name), port: 80 })
const weighted = (weights: readonly number[]) => weights.map((weight, index) => ({ ...target(`n${index}`), weight }))
const sum = (split: Split) => split.reduce((total, { sharePpm }) => total + sharePpm, 0)

describe('splitOfWeights', () => {
	test.for([
		{ weights: [75, 25], shares: [750_000, 250_000] },
		{ weights: [8, 2], shares: [800_000, 200_000] },
		{ weights: [1], shares: [1_000_000] },
		{ weights: [100, 0], shares: [1_000_000, 0] },
		{ weights: [1, 1, 1], shares: [333_334, 333_333, 333_333] },
		{ weights: [300, 200], shares: [600_000, 400_000] },
	])('$weights → $shares', ({ weights, shares }) => {
		expect(splitOfWeights(weighted(weights)).map(({ sharePpm }) => sharePpm)).toEqual(shares)
	})

	test('a target written twice counts once', () => {
		const twice = [...weighted([50]), { ...target('n0'), weight: 25 }, { ...target('n1'), weight: 25 }]
		expect(splitOfWeights(twice).map(({ sharePpm }) => sharePpm)).toEqual([750_000, 250_000])
	})

	test('shares sum to the whole, and each is within one of what its weight asks for', () => {
		const weights = fc
			.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 10 })
			.filter((list) => list.some((weight) => weight > 0))
		fc.assert(
			fc.property(weights, (list) => {
				const split = splitOfWeights(weighted(list))
				const total = list.reduce((all, weight) => all + weight, 0)
				expect(sum(split)).toBe(wholePpm)
				for (const [index, weight] of list.entries()) {
					expect(Math.abs(shareOf(split, target(`n${index}`)) - (weight / total) * wholePpm)).toBeLessThan(1.001)
				}
			}),
			{ numRuns: count(300, 20_000), seed: seed() },
		)
	})
})

describe('splitBetween', () => {
	test('both ends are exact, every point sums to the whole, and a rising share never falls on the way', () => {
		const weights = fc
			.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 5 })
			.filter((list) => list.some((weight) => weight > 0))
		fc.assert(
			fc.property(weights, weights, fc.integer({ min: 1, max: wholePpm }), (left, right, denominator) => {
				const from = splitOfWeights(weighted(left))
				const to = splitOfWeights(weighted(right))
				expect(isSameSplit(splitBetween(from, to, 0, denominator), from)).toBe(true)
				expect(isSameSplit(splitBetween(from, to, denominator, denominator), to)).toBe(true)
				const middle = splitBetween(from, to, Math.floor(denominator / 2), denominator)
				expect(sum(middle)).toBe(wholePpm)
				for (const { sharePpm, ...member } of middle) {
					const low = Math.min(shareOf(from, member), shareOf(to, member))
					const high = Math.max(shareOf(from, member), shareOf(to, member))
					expect(sharePpm).toBeGreaterThanOrEqual(low - 1)
					expect(sharePpm).toBeLessThanOrEqual(high + 1)
				}
			}),
			{ numRuns: count(300, 20_000), seed: seed() },
		)
	})

	test('a target that one end does not name has no share there', () => {
		const from = splitOfWeights(weighted([100]))
		const to = splitOfWeights(weighted([0, 100]))
		expect(formatSplit(splitBetween(from, to, 1, 4))).toBe('n0 75 % · n1 25 %')
	})
})
