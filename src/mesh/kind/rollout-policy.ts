import { durationToMs } from '../duration.ts'
import { errorAt, type Finding } from '../finding.ts'
import type {
	RolloutPolicyErrorsGuard,
	RolloutPolicyManifest,
	RolloutPolicyStep,
	RolloutPolicyWaves,
} from '../manifest.generated.ts'
import type { ErrorsGuard, RolloutPolicySpec, RolloutStep, WavesSpec } from '../mesh.ts'
import { percentToPpm } from '../percent-to-ppm.ts'
import { defaultErrorsGuard, defaultRolloutPolicySpec, defaultRolloutStep, defaultWaves } from '../rollout-policy.ts'

/** Percent become parts per million, durations milliseconds; what is not written is as in `defaultRolloutPolicySpec`. */
export function readRolloutPolicySpec(manifest: RolloutPolicyManifest): RolloutPolicySpec {
	const { match, steps, guards, deadline, onNoEvidence, bake, warmUp, waves } = manifest.spec ?? {}
	const defaults = defaultRolloutPolicySpec
	return {
		match: { virtualRouter: match?.virtualRouter ?? null, route: match?.route ?? null },
		steps: steps?.map(readStep) ?? defaults.steps,
		guards: guards?.map(readGuard) ?? defaults.guards,
		deadlineMs: deadline === undefined ? defaults.deadlineMs : durationToMs(deadline),
		onNoEvidence: onNoEvidence ?? defaults.onNoEvidence,
		bakeMs: bake === undefined ? defaults.bakeMs : durationToMs(bake),
		warmUpMs: warmUp === undefined ? defaults.warmUpMs : durationToMs(warmUp),
		waves: waves === undefined ? defaults.waves : readWaves(waves),
	}
}

function readStep({ weight, minDuration, minRequests }: RolloutPolicyStep): RolloutStep {
	return {
		sharePpm: percentToPpm(weight),
		minDurationMs: minDuration === undefined ? defaultRolloutStep.minDurationMs : durationToMs(minDuration),
		minRequests: minRequests ?? defaultRolloutStep.minRequests,
	}
}

function readWaves({ shares, minDuration }: RolloutPolicyWaves): WavesSpec {
	return {
		sharesPpm: shares?.map(percentToPpm) ?? defaultWaves.sharesPpm,
		minDurationMs: minDuration === undefined ? defaultWaves.minDurationMs : durationToMs(minDuration),
	}
}

function readGuard({
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
	const { match, steps = [], guards = [], deadline, waves } = manifest.spec ?? {}
	const findings: Finding[] = []
	for (const [index, { weight }] of steps.entries()) {
		const before = steps[index - 1]
		if (before === undefined || percentToPpm(weight) > percentToPpm(before.weight)) continue
		const message = `step ${index + 1} gives ${weight} %, and the step before it ${before.weight} %; expected steps that rise`
		findings.push(errorAt(['spec', 'steps', index, 'weight'], 'SL0212', message))
	}
	for (const [index, { kind }] of guards.entries()) {
		if (guards.findIndex((guard) => guard.kind === kind) === index) continue
		findings.push(errorAt(['spec', 'guards', index, 'kind'], 'SL0213', `there is a guard of the kind ${kind} already`))
	}
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
	return findings
}
