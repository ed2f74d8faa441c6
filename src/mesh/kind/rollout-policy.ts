import { assert, unreachable } from '#base/assert.ts'
import { durationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path } from '../finding.ts'
import type {
	RolloutPolicyErrorsGuard,
	RolloutPolicyLatencyGuard,
	RolloutPolicyManifest,
	RolloutPolicyStep,
	RolloutPolicySticky,
	RolloutPolicyThresholdGuard,
	RolloutPolicyWaves,
	RolloutPolicyWindow,
} from '../manifest.generated.ts'
import type { ErrorsGuard, Guard, RolloutPolicySpec, RolloutStep, RolloutWindow, WavesSpec } from '../mesh.ts'
import { percentToPpm } from '../percent-to-ppm.ts'
import { defaultErrorsGuard, defaultRolloutPolicySpec, defaultRolloutStep, defaultWaves } from '../rollout-policy.ts'
import type { Sticky } from '../route-spec.ts'
import { weekdays } from '../weekdays.ts'
import { msToText } from '../write-amounts.ts'
import { checkFront, readFrontMatch } from './front-match.ts'
import { checkHooks, readHook } from './hook.ts'
import { checkLatencyGuard, readLatencyGuard } from './latency-guard.ts'
import { checkThresholdGuard, checkThresholdSizes, readThresholdGuard } from './threshold-guard.ts'

/** Percent become parts per million, durations milliseconds; what is not written is as in `defaultRolloutPolicySpec`. */
export function readRolloutPolicySpec(manifest: RolloutPolicyManifest): RolloutPolicySpec {
	const { match, steps, front, sticky, guards, unguarded = false, reason, ...times } = manifest.spec ?? {}
	const { deadline, onNoEvidence, onSharedIncident, bake, warmUp, waves, ...more } = times
	const defaults = defaultRolloutPolicySpec
	const mirror = steps?.[0]?.mirror
	const onDeadline = more.onDeadline ?? defaults.onDeadline
	return {
		match: { virtualRouter: match?.virtualRouter ?? null, route: match?.route ?? null },
		steps: steps?.map(readStep) ?? defaults.steps,
		front: front?.map(readFrontMatch) ?? defaults.front,
		mirrorPpm: mirror === undefined ? defaults.mirrorPpm : percentToPpm(mirror),
		sticky: sticky === undefined ? defaults.sticky : readSticky(sticky),
		guards: guards?.map(readGuard) ?? (unguarded ? [] : defaults.guards),
		unguarded: unguarded ? (reason ?? '') : null,
		deadlineMs: deadline === undefined ? defaults.deadlineMs : durationToMs(deadline),
		onDeadline,
		onNoTraffic: more.onNoTraffic ?? onDeadline,
		onInconclusive: more.onInconclusive ?? onDeadline,
		onNoEvidence: onNoEvidence ?? defaults.onNoEvidence,
		onSharedIncident: onSharedIncident ?? defaults.onSharedIncident,
		bakeMs: bake === undefined ? defaults.bakeMs : durationToMs(bake),
		holdBackPpm: more.holdBack === undefined ? defaults.holdBackPpm : percentToPpm(more.holdBack),
		warmUpMs: warmUp === undefined ? defaults.warmUpMs : durationToMs(warmUp),
		waves: waves === undefined ? defaults.waves : readWaves(waves),
		group: more.group ?? defaults.group,
		windows: more.windows?.map(readWindow) ?? defaults.windows,
		hooks: more.hooks?.map(readHook) ?? defaults.hooks,
	}
}

function readStep({ weight, minDuration, minRequests, warmUp, gate, deadline }: RolloutPolicyStep): RolloutStep {
	return {
		sharePpm: percentToPpm(weight),
		minDurationMs: minDuration === undefined ? defaultRolloutStep.minDurationMs : durationToMs(minDuration),
		minRequests: minRequests ?? defaultRolloutStep.minRequests,
		warmUpMs: warmUp === undefined ? defaultRolloutStep.warmUpMs : durationToMs(warmUp),
		gate: gate === true ? 'person' : 'none',
		deadlineMs: deadline === undefined ? defaultRolloutStep.deadlineMs : durationToMs(deadline),
	}
}

/** Header names come out in lower case, as everywhere; names of cookies stay as they are written. */
function readSticky({ header, cookie }: RolloutPolicySticky): Sticky {
	if (cookie !== undefined) return { kind: 'cookie', name: cookie }
	assert(header !== undefined, 'its schema demands one of both')
	return { kind: 'header', name: header.toLowerCase() }
}

function readWaves({ shares, minDuration }: RolloutPolicyWaves): WavesSpec {
	return {
		sharesPpm: shares?.map(percentToPpm) ?? defaultWaves.sharesPpm,
		minDurationMs: minDuration === undefined ? defaultWaves.minDurationMs : durationToMs(minDuration),
	}
}

function readWindow({ days, from = '00:00', to = '24:00', timeZone = 'UTC' }: RolloutPolicyWindow): RolloutWindow {
	return {
		days: weekdays.flatMap((day, index) => (days?.includes(day) === false ? [] : [index])),
		fromMinute: minuteOf(from),
		toMinute: minuteOf(to),
		timeZone,
	}
}

/** Minutes from midnight of `16:30`. */
function minuteOf(text: string): number {
	const [hours = '', minutes = ''] = text.split(':')
	return Number(hours) * 60 + Number(minutes)
}

type WrittenGuard = RolloutPolicyErrorsGuard | RolloutPolicyLatencyGuard | RolloutPolicyThresholdGuard

function readGuard(guard: WrittenGuard): Guard {
	switch (guard.kind) {
		case 'errors':
			return readErrorsGuard(guard)
		case 'latency':
			return readLatencyGuard(guard)
		case 'threshold':
			return readThresholdGuard(guard)
		default:
			return unreachable(guard)
	}
}

function readErrorsGuard({
	alpha,
	toleranceRatio,
	tolerance,
	absoluteLimit,
	hardLimit,
}: RolloutPolicyErrorsGuard): ErrorsGuard {
	const defaults = defaultErrorsGuard
	return {
		kind: 'errors',
		alpha: alpha ?? defaults.alpha,
		toleranceRatio: toleranceRatio ?? defaults.toleranceRatio,
		tolerancePpm: tolerance === undefined ? defaults.tolerancePpm : percentToPpm(tolerance),
		absoluteLimitPpm: absoluteLimit === undefined ? defaults.absoluteLimitPpm : percentToPpm(absoluteLimit),
		hardLimitPpm: hardLimit === undefined ? defaults.hardLimitPpm : percentToPpm(hardLimit),
	}
}

export function checkRolloutPolicy(manifest: RolloutPolicyManifest): readonly Finding[] {
	const { match, steps = [], front = [], guards = [], deadline, waves, hooks = [] } = manifest.spec ?? {}
	const findings: Finding[] = []
	for (const [index, { weight }] of steps.entries()) {
		const before = steps[index - 1]
		if (before === undefined || percentToPpm(weight) > percentToPpm(before.weight)) continue
		const message = `step ${index + 1} gives ${weight} %, and the step before it ${before.weight} %; expected steps that rise`
		findings.push(errorAt(['spec', 'steps', index, 'weight'], 'SL0212', message))
	}
	findings.push(...checkFirstStep(manifest), ...checkFront(front, ['spec', 'front']))
	findings.push(...checkGuards(guards), ...checkUnguarded(manifest))
	for (const [index, share] of (waves?.shares ?? []).entries()) {
		const before = waves?.shares?.[index - 1]
		if (before === undefined || percentToPpm(share) > percentToPpm(before)) continue
		const message = `wave ${index + 2} has ${share} % of the proxies, and the one before it ${before} %; expected waves that rise`
		findings.push(errorAt(['spec', 'waves', 'shares', index], 'SL0212', message))
	}
	if (waves !== undefined && (match?.virtualRouter !== undefined || match?.route !== undefined)) {
		const message = 'waves are for all changes of a mesh, and this policy speaks for some of its routes'
		findings.push(errorAt(['spec', 'waves'], 'SL0247', message, 'write them in a policy whose match is empty'))
	}
	if (deadline !== undefined && durationToMs(deadline) === 0) {
		findings.push(errorAt(['spec', 'deadline'], 'SL0208', `spec.deadline is "${deadline}"; expected more than nothing`))
	}
	return [
		...findings,
		...checkStepDeadlines(manifest),
		...checkWindows(manifest),
		...checkHooks(hooks, ['spec', 'hooks']),
	]
}

/** Only what is in front, and copies, can go to a version that has no share. */
function checkFirstStep({ spec = {} }: RolloutPolicyManifest): Finding[] {
	return (spec.steps ?? []).flatMap(({ weight, mirror }, index) => {
		const at = ['spec', 'steps', index, 'weight']
		if (percentToPpm(weight) === 0 && weight !== 0)
			return [errorAt(at, 'SL0208', `step ${index + 1} gives ${weight} %; expected 0, or at least 0.0001`)]
		if (weight !== 0 && mirror !== undefined) {
			const message = `step ${index + 1} gives ${weight} %, and has a mirror, which is for what comes before the first percent`
			return [errorAt(['spec', 'steps', index, 'mirror'], 'SL0261', message, 'write a first step of weight 0 for it')]
		}
		if (weight !== 0 || index > 0 || mirror !== undefined || spec.front !== undefined) return []
		const message = 'step 1 gives 0 %, without a mirror or a front: nothing would go to the new version'
		return [errorAt(at, 'SL0260', message, 'leave the step out, or write one of them')]
	})
}

function checkStepDeadlines({ spec = {} }: RolloutPolicyManifest): Finding[] {
	const { steps = [] } = spec
	const tooShort = steps.flatMap(({ deadline, minDuration }, index) => {
		const leastMs = minDuration === undefined ? defaultRolloutStep.minDurationMs : durationToMs(minDuration)
		if (deadline === undefined || durationToMs(deadline) > leastMs) return []
		const message = `step ${index + 1} lasts at least ${msToText(leastMs)}, and its deadline is ${deadline}; expected a later one`
		return [errorAt(['spec', 'steps', index, 'deadline'], 'SL0255', message)]
	})
	if (steps.some(({ deadline }) => deadline !== undefined)) return tooShort
	const idle = (['onNoTraffic', 'onInconclusive'] as const).filter((field) => spec[field] !== undefined)
	const message = (field: string) => `spec.${field} is for steps with a deadline, and none has one`
	return [...tooShort, ...idle.map((field) => errorAt(['spec', field], 'SL0256', message(field)))]
}

function checkWindows({ spec }: RolloutPolicyManifest): Finding[] {
	return (spec?.windows ?? []).flatMap((window, index) => {
		if (readWindow(window).fromMinute !== readWindow(window).toMinute) return []
		const message = `the window is from ${window.from} to ${window.to}, which is no time; for a whole day leave both out`
		return [errorAt(['spec', 'windows', index, 'to'], 'SL0257', message)]
	})
}

function checkGuards(guards: readonly WrittenGuard[]): Finding[] {
	const thresholds = guards.filter((guard) => guard.kind === 'threshold')
	const findings = guards.flatMap((guard, index) => {
		const path = ['spec', 'guards', index]
		const twice = checkRepeated(guards, index)
		return [...twice, ...checkGuard(guard, path)]
	})
	return [...findings, ...checkThresholdSizes(thresholds, ['spec', 'guards'])]
}

function checkGuard(guard: WrittenGuard, path: Path): readonly Finding[] {
	switch (guard.kind) {
		case 'errors':
			return []
		case 'latency':
			return checkLatencyGuard(guard, path)
		case 'threshold':
			return checkThresholdGuard(guard, path)
		default:
			return unreachable(guard)
	}
}

/** Thresholds are told apart by their names, all others by their kinds. */
function checkRepeated(guards: readonly WrittenGuard[], index: number): Finding[] {
	const nameOf = (guard: WrittenGuard) => (guard.kind === 'threshold' ? `name ${guard.name}` : `kind ${guard.kind}`)
	const [guard] = guards.slice(index, index + 1)
	if (guard === undefined || guards.findIndex((other) => nameOf(other) === nameOf(guard)) === index) return []
	const field = guard.kind === 'threshold' ? 'name' : 'kind'
	return [errorAt(['spec', 'guards', index, field], 'SL0213', `there is a guard of the ${nameOf(guard)} already`)]
}

function checkUnguarded({ spec }: RolloutPolicyManifest): Finding[] {
	const { unguarded = false, reason, guards } = spec ?? {}
	if (!unguarded && reason === undefined) return []
	const at = ['spec', unguarded ? 'unguarded' : 'reason']
	if (!unguarded) return [errorAt(at, 'SL0251', 'spec.reason says why nothing guards, and spec.unguarded is not true')]
	if (reason === undefined) return [errorAt(at, 'SL0251', 'spec.unguarded is true, and spec.reason does not say why')]
	return guards === undefined ? [] : [errorAt(at, 'SL0251', 'spec.unguarded is true, and there are guards')]
}
