const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** Milliseconds of a duration such as `1m30s`; what is not written in that form counts as nothing. */
export function durationToMs(text: string): number {
	let total = 0
	for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
		total += Number(count) * unitMs[unit as keyof typeof unitMs]
	return total
}

/** Milliseconds of App Mesh's own form of a duration. */
export function appMeshDurationToMs(duration: { unit: 's' | 'ms'; value: number }): number {
	return duration.value * unitMs[duration.unit]
}
