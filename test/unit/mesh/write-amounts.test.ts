import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationToMs } from '../../../src/mesh/duration.ts'
import { msToText } from '../../../src/mesh/write-amounts.ts'
import { count, seed } from '../../depth.ts'

test.for<[number, string]>([
	[0, '0s'],
	[500, '500ms'],
	[90_000, '1m30s'],
	[5_400_000, '1h30m'],
	[3_600_001, '1h1ms'],
])('%d ms is %s', ([ms, text]) => {
	expect(msToText(ms)).toBe(text)
})

test('a written duration reads as the same', () => {
	const longest = 999_999_999 * 3_600_000
	fc.assert(
		fc.property(fc.integer({ min: 0, max: longest }), (ms) => {
			expect(durationToMs(msToText(ms))).toBe(ms)
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})
