import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packLogs, unpackLogs } from '#guard/packed-logs.ts'
import { count, seed } from '../../depth.ts'

test('logarithms come back, rounded down to four digits', () => {
	const log = fc.oneof(fc.constant(-Infinity), fc.double({ min: -838, max: 100, noNaN: true }))
	fc.assert(
		fc.property(fc.array(log, { maxLength: 12 }), (logs) => {
			const back = unpackLogs(packLogs(logs))
			expect(back.length).toBe(logs.length)
			for (const [index, given] of logs.entries()) {
				const kept = back[index] ?? Number.NaN
				if (given === -Infinity) expect(kept).toBe(-Infinity)
				else expect(given - kept).toBeGreaterThanOrEqual(-1.1e-10)
				if (given !== -Infinity) expect(given - kept).toBeLessThan(1.1e-4)
			}
			expect(packLogs(back)).toBe(packLogs(logs))
		}),
		{ numRuns: count(200, 5000), seed: seed() },
	)
})

test('what is below all that fits has ended', () => {
	expect(unpackLogs(packLogs([-1e9, -839, 100]))).toEqual([-Infinity, -Infinity, 100])
	expect(packLogs([])).toBe('')
})
