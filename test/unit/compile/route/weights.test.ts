import { expect, test } from 'vitest'
import { clusterWeights } from '#compile/route/weights.ts'
import { fixtureSplit } from '../../../fixtures/mesh-fixture.ts'

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
