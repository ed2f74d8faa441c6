import { expect, test } from 'vitest'
import { appMeshDurationToMs, durationToMs } from '../../../src/mesh/duration.ts'

test.for<[string, number]>([
	['500ms', 500],
	['10s', 10_000],
	['1m', 60_000],
	['1h', 3_600_000],
	['1h30m', 5_400_000],
	['1m30s500ms', 90_500],
	['0s', 0],
])('%s is %i ms', ([text, ms]) => {
	expect(durationToMs(text)).toBe(ms)
})

test("App Mesh's form", () => {
	expect(appMeshDurationToMs({ unit: 's', value: 15 })).toBe(15_000)
	expect(appMeshDurationToMs({ unit: 'ms', value: 250 })).toBe(250)
})
