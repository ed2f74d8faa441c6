import { unreachable } from '#base/assert.ts'
import type { ErrorsGuard, Guard, LatencyGuard, ThresholdGuard, ThresholdSource } from './mesh.ts'
import { msToText, ppmToPercent } from './write-amounts.ts'
import { type Written, writeMembers } from './write-members.ts'

/** Every field is written. */
export function writeGuard(guard: Guard): Written {
	switch (guard.kind) {
		case 'errors':
			return writeErrorsGuard(guard)
		case 'latency':
			return writeLatencyGuard(guard)
		case 'threshold':
			return writeThresholdGuard(guard)
		default:
			return unreachable(guard)
	}
}

function writeErrorsGuard(guard: ErrorsGuard): Written {
	const { kind, alpha, toleranceRatio, tolerancePpm, absoluteLimitPpm, hardLimitPpm } = guard
	return {
		kind,
		alpha,
		toleranceRatio,
		tolerance: ppmToPercent(tolerancePpm),
		absoluteLimit: ppmToPercent(absoluteLimitPpm),
		hardLimit: ppmToPercent(hardLimitPpm),
	}
}

function writeLatencyGuard({ kind, thresholdMs, toleranceRatio, tolerancePpm }: LatencyGuard): Written {
	const threshold = thresholdMs === null ? null : msToText(thresholdMs)
	return writeMembers({ kind, threshold, toleranceRatio, tolerance: ppmToPercent(tolerancePpm) })
}

function writeThresholdGuard({ source, intervalMs, windowMs, max, ...guard }: ThresholdGuard): Written {
	return writeMembers({
		...guard,
		// An alarm's bound is not written.
		max: source.kind === 'cloudWatchAlarm' ? null : max,
		source: writeSource(source),
		interval: msToText(intervalMs),
		window: msToText(windowMs),
	})
}

function writeSource({ kind, ...source }: ThresholdSource): Written {
	return { [kind]: writeMembers(source) }
}
