import { expect, test } from 'vitest'
import { clusterWeights, hashedWeights } from '#compile/route/weights.ts'
import { fixtureSplit, fixtureTarget } from '../../../fixtures/mesh-fixture.ts'

test.for([
	{ shares: { v1: 750_000, v2: 250_000 }, weights: [75, 25] },
	{ shares: { v1: 1_000_000, v2: 0 }, weights: [100, 0] },
	{ shares: { v1: 0, v2: 1_000_000 }, weights: [0, 100] },
	{ shares: { v1: 1_000_000 }, weights: [100] },
	{ shares: { v1: 975_000, v2: 25_000 }, weights: [975_000, 25_000] },
	{ shares: { v1: 999_999, v2: 1 }, weights: [999_999, 1] },
	{ shares: { v1: 333_334, v2: 333_333, v3: 333_333 }, weights: [333_334, 333_333, 333_333] },
])('$shares → $weights', ({ shares, weights }) => {
	expect(clusterWeights(fixtureSplit(shares), ({ virtualNode }) => virtualNode).map(({ weight }) => weight)).toEqual(
		weights,
	)
})

test('what a hash falls into has the order that is asked for, and the same whole at every step', () => {
	const order = ['v3', 'v1', 'v2'].map(fixtureTarget)
	const weighed = (shares: Readonly<Record<string, number>>) =>
		hashedWeights(fixtureSplit(shares), order, ({ virtualNode }) => virtualNode.slice(-2)).map(
			({ cluster, weight }) => `${cluster}=${weight}`,
		)
	expect(weighed({ v1: 900_000, v2: 50_000, v3: 50_000 })).toEqual(['v3=50000', 'v1=900000', 'v2=50000'])
	expect(weighed({ v1: 333_334, v2: 333_333, v3: 333_333 })).toEqual(['v3=333333', 'v1=333334', 'v2=333333'])
})
