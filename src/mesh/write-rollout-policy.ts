import type { HookSpec } from './hook-spec.ts'
import type { RolloutPolicySpec, RolloutStep, RolloutWindow, WavesSpec } from './mesh.ts'
import type { FrontMatch } from './route-spec.ts'
import { weekdays } from './weekdays.ts'
import { msToText, ppmToPercent } from './write-amounts.ts'
import { writeGuard } from './write-guard.ts'
import { type Written, writeList, writeMembers, writeUnlessEmpty } from './write-members.ts'
import { writeHeaders, writeQueryParameters } from './write-route.ts'

/** Every field is written, so that it stays what it is when the defaults change. */
export function writeRolloutPolicySpec(spec: RolloutPolicySpec): Written {
	return writeMembers({
		match: writeUnlessEmpty(spec.match),
		steps: spec.steps.map((step) => writeStep(step, spec.mirrorPpm)),
		front: writeList(spec.front.map(writeFrontMatch)),
		sticky: spec.sticky === null ? undefined : { [spec.sticky.kind]: spec.sticky.name },
		guards: writeList(spec.guards.map(writeGuard)),
		unguarded: spec.unguarded === null ? null : true,
		reason: spec.unguarded,
		deadline: msToText(spec.deadlineMs),
		onDeadline: spec.onDeadline,
		...(spec.steps.some(({ deadlineMs }) => deadlineMs !== null)
			? { onNoTraffic: spec.onNoTraffic, onInconclusive: spec.onInconclusive }
			: {}),
		onNoEvidence: spec.onNoEvidence,
		onSharedIncident: spec.onSharedIncident,
		bake: msToText(spec.bakeMs),
		holdBack: spec.holdBackPpm === 0 ? null : ppmToPercent(spec.holdBackPpm),
		warmUp: msToText(spec.warmUpMs),
		waves: spec.waves === null ? undefined : writeWaves(spec.waves),
		group: spec.group,
		windows: writeList(spec.windows.map(writeWindow)),
		hooks: writeList(spec.hooks.map(writeHook)),
	})
}

function writeStep(
	{ sharePpm, minDurationMs, minRequests, warmUpMs, gate, deadlineMs }: RolloutStep,
	mirrorPpm: number,
): Written {
	return writeMembers({
		weight: ppmToPercent(sharePpm),
		mirror: mirrorPpm === 0 || sharePpm > 0 ? null : ppmToPercent(mirrorPpm),
		minDuration: msToText(minDurationMs),
		minRequests,
		warmUp: warmUpMs === null ? null : msToText(warmUpMs),
		gate: gate === 'person',
		deadline: deadlineMs === null ? null : msToText(deadlineMs),
	})
}

function writeFrontMatch(match: FrontMatch): Written {
	if (match.kind === 'grpc') return writeMembers({ metadata: writeHeaders(match.metadata) })
	return writeMembers({
		headers: writeHeaders(match.headers),
		queryParameters: writeQueryParameters(match.queryParameters),
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

function writeHook({ timeoutMs, intervalMs, ...hook }: HookSpec): Written {
	return { ...hook, timeout: msToText(timeoutMs), interval: msToText(intervalMs) }
}

function writeWaves({ sharesPpm, minDurationMs }: WavesSpec): Written {
	return { shares: sharesPpm.map(ppmToPercent), minDuration: msToText(minDurationMs) }
}
