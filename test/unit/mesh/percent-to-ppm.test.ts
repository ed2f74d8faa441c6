import { expect, test } from 'vitest'
import { percentToPpm } from '../../../src/mesh/percent-to-ppm.ts'

test.for([
	[0, 0],
	[0.0001, 1],
	[0.07, 700],
	[33.3333, 333_333],
	[100, 1_000_000],
] as const)('%d %% are %d parts per million', ([percent, ppm]) => {
	expect(percentToPpm(percent)).toBe(ppm)
})
