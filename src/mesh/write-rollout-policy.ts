import type { ErrorsGuard, RolloutPolicySpec, RolloutStep, RolloutWindow, WavesSpec } from './mesh.ts'
import { weekdays } from './weekdays.ts'
import { type Written, writeList, writeMembers, writeUnlessEmpty } from './write-members.ts'

/** Every field is written, so that it stays what it is when the defaults change. */
export function writeRolloutPolicySpec(spec: RolloutPolicySpec): Written {
	return writeMembers({
		match: writeUnlessEmpty(spec.match),
		steps: spec.steps.map(writeStep),
		guards: spec.guards.map(writeGuard),
		deadline: msToText(spec.deadlineMs),
		onDeadline: spec.onDeadline,
		...(spec.steps.some(({ deadlineMs }) => deadlineMs !== null)
			? { onNoTraffic: spec.onNoTraffic, onInconclusive: spec.onInconclusive }
			: {}),
		onNoEvidence: spec.onNoEvidence,
		bake: msToText(spec.bakeMs),
		warmUp: msToText(spec.warmUpMs),
		waves: spec.waves === null ? undefined : writeWaves(spec.waves),
		windows: writeList(spec.windows.map(writeWindow)),
	})
}

function writeStep({ sharePpm, minDurationMs, minRequests, warmUpMs, gate, deadlineMs }: RolloutStep): Written {
	return writeMembers({
		weight: ppmToPercent(sharePpm),
		minDuration: msToText(minDurationMs),
		minRequests,
		warmUp: warmUpMs === null ? null : msToText(warmUpMs),
		gate: gate === 'person',
		deadline: deadlineMs === null ? null : msToText(deadlineMs),
	})
}

function writeWindow({ days, fromMinute, toMinute, timeZone }: RolloutWindow): Written {
	return {
		days: days.map((day) => weekdays[day]),
		from: minuteToText(fromMinute),
		to: minuteToText(toMinute),
		timeZone,
	}
}

/** Such as `09:30`; `24:00` for the end of the day. */
export function minuteToText(minute: number): string {
	const digits = (value: number) => String(value).padStart(2, '0')
	return `${digits(Math.floor(minute / 60))}:${digits(minute % 60)}`
}

function writeWaves({ sharesPpm, minDurationMs }: WavesSpec): Written {
	return { shares: sharesPpm.map(ppmToPercent), minDuration: msToText(minDurationMs) }
}

function writeGuard({
	kind,
	alpha,
	toleranceRatio,
	tolerancePpm,
	absoluteLimitPpm,
	hardLimitPpm,
}: ErrorsGuard): Written {
	return {
		kind,
		alpha,
		toleranceRatio,
		tolerance: ppmToPercent(tolerancePpm),
		absoluteLimit: ppmToPercent(absoluteLimitPpm),
		hardLimit: ppmToPercent(hardLimitPpm),
	}
}

function ppmToPercent(ppm: number): number {
	return ppm / 10_000
}

const units = [
	['h', 3_600_000],
	['m', 60_000],
	['s', 1000],
	['ms', 1],
] as const

/** Such as `1h30m`; `0s` for nothing. */
export function msToText(ms: number): string {
	let rest = ms
	let text = ''
	for (const [unit, size] of units) {
		const count = Math.floor(rest / size)
		rest -= count * size
		if (count > 0) text += `${count}${unit}`
	}
	return text === '' ? '0s' : text
}
