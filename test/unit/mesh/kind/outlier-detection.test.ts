import { expect, test } from 'vitest'
import { checkOutlierDetection, readOutlierDetection } from '../../../../src/mesh/kind/outlier-detection.ts'

const detection = (intervalS: number, baseMs: number) => ({
	maxServerErrors: 5,
	interval: { unit: 's', value: intervalS } as const,
	baseEjectionDuration: { unit: 'ms', value: baseMs } as const,
	maxEjectionPercent: 50,
})

test('durations are read in milliseconds', () => {
	expect(readOutlierDetection(undefined)).toBeNull()
	expect(readOutlierDetection(detection(10, 1500))).toEqual({
		maxServerErrors: 5,
		intervalMs: 10_000,
		baseEjectionDurationMs: 1500,
		maxEjectionPercent: 50,
	})
})

test.for<[number, number, string[]]>([
	[1, 1, []],
	[0, 1, ['interval']],
	[1, 0, ['baseEjectionDuration']],
	[0, 0, ['interval', 'baseEjectionDuration']],
])('of %i s and %i ms, %j are those of Envoy', ([interval, base, fields]) => {
	const findings = checkOutlierDetection([], detection(interval, base))
	expect(findings.map(({ code, path }) => [code, path[0]])).toEqual(fields.map((field) => ['SL0231', field]))
})
