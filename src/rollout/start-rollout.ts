import { startGuard } from '#guard/judge.ts'
import type { GuardParameters, LatencyParameters } from '#guard/look.ts'
import { defaultPhi } from '#guard/over-dispersion.ts'
import { newThreshold } from '#guard/threshold.ts'
import type { LatencyGuard, RolloutPolicySpec } from '#mesh/mesh.ts'
import type { Shift, Split } from '#plan/plan.ts'
import { isSameSplit, isSameTarget, shareOf, shareOfAll, targetKey, unionOfTargets } from '#plan/split.ts'
import { ladderOf, splitInForce } from './ladder.ts'
import { errorsGuardOf, latencyGuardOf, type Rollout, thresholdGuardsOf } from './rollout.ts'

/** A rollout that has not moved anything yet. */
export type RolloutStart = {
	readonly id: string
	readonly shift: Shift
	readonly revision: string
	readonly wallMs: number
	/** As measured; the default where nothing was. */
	readonly phi?: GuardParameters['phi']
}

export function startRollout({ id, shift, revision, wallMs, phi = defaultPhi }: RolloutStart): Rollout {
	const stepsPpm = ladderOf(shift.policy, shift.before, shift.after, shift.rising)
	return {
		id,
		route: shift.route,
		revision,
		good: shift.before,
		target: shift.after,
		canaries: shift.rising,
		baseline: shift.falling,
		policy: shift.policy,
		stepsPpm,
		step: -1,
		clones: 'none',
		phase: { kind: 'pending' },
		holds: [],
		confirmed: false,
		phi,
		guard: newGuard({ policy: shift.policy, canaries: shift.rising, stepsPpm, phi }),
		thresholds: newThresholds(shift.policy),
		hooks: {},
		verdict: null,
		elapsed: { stepMs: 0, sinceChangeMs: 0, sinceLookMs: 0, sinceForwardMs: null, stepTotalMs: 0, totalMs: 0 },
		stepBack: 'none',
		promotion: null,
		approval: null,
		quarantineKey: shift.quarantineKey,
		wave: null,
		startedWallMs: wallMs,
		endedWallMs: null,
	}
}

type Guarded = Pick<Rollout, 'policy' | 'stepsPpm' | 'phi'>

/** What the guard needs to know of a rollout. */
export function guardParametersOf({ policy, stepsPpm, phi }: Guarded): GuardParameters {
	const guard = errorsGuardOf(policy)
	const latency = latencyGuardOf(policy)
	const { alpha, toleranceRatio, tolerancePpm, absoluteLimitPpm, hardLimitPpm } = guard
	return {
		alpha,
		toleranceRatio,
		tolerancePpm,
		absoluteLimitPpm,
		hardLimitPpm,
		phi,
		latency: latency === null ? null : latencyParametersOf(latency),
		steps: stepsPpm.length,
	}
}

function newThresholds(policy: RolloutPolicySpec): Rollout['thresholds'] {
	return Object.fromEntries(thresholdGuardsOf(policy).map(({ name }) => [name, newThreshold]))
}

function latencyParametersOf({ thresholdMs, toleranceRatio, tolerancePpm }: LatencyGuard): LatencyParameters {
	return { edgeMs: thresholdMs, toleranceRatio, tolerancePpm }
}

function newGuard(rollout: Guarded & Pick<Rollout, 'canaries'>): Rollout['guard'] {
	return startGuard({ canaries: rollout.canaries.map(targetKey), parameters: guardParametersOf(rollout) })
}

/**
 * The same canaries, another target (rules, motion 4): the weights in force stay, the evidence starts afresh. Null when
 * the shares in force do not lie on the way from `good` to the new target: then the rollout must first go back.
 */
export function retargetRollout(
	rollout: Rollout,
	shift: { after: Split; policy: RolloutPolicySpec; quarantineKey: string },
	revision: string,
): Rollout | null {
	const { good } = rollout
	const { after: target, policy, quarantineKey } = shift
	const targets = unionOfTargets(good, target)
	const canaries = targets.filter((member) => shareOf(target, member) > shareOf(good, member))
	const baseline = targets.filter((member) => shareOf(target, member) < shareOf(good, member))
	if (!isSameList(canaries, rollout.canaries) || !isSameList(baseline, rollout.baseline)) return null
	const inForce = splitInForce(rollout)
	const reached = shareOfAll(inForce, canaries)
	const wanted = shareOfAll(target, canaries)
	const ladder = ladderOf(policy, good, target, canaries)
	const moved = rollout.step >= 0
	// Less than what is in force: a step down, which needs no evidence. More: the step in force stays the first one.
	const stepsPpm =
		moved && reached < wanted ? [reached, ...ladder.filter((share) => share > reached)] : moved ? [wanted] : ladder
	// Clusters are brought before the first step: what is in front, and a mirror in force, stay what they were then.
	const { front, mirrorPpm } = moved ? rollout.policy : policy
	const next: Rollout = {
		...rollout,
		revision,
		target,
		canaries,
		baseline,
		policy: { ...policy, front, mirrorPpm },
		stepsPpm,
		step: moved ? 0 : -1,
		// Git may want something else; that a person stopped it holds until a person says otherwise.
		phase: rollout.phase.kind === 'paused' ? rollout.phase : { kind: moved ? 'stepping' : 'pending' },
		holds: [],
		confirmed: false,
		guard: newGuard({ policy, canaries, stepsPpm, phi: rollout.phi }),
		hooks: {},
		verdict: null,
		elapsed: { ...rollout.elapsed, stepMs: 0, sinceChangeMs: 0, sinceLookMs: 0, stepTotalMs: 0 },
		stepBack: 'none',
		promotion: null,
		approval: null,
		quarantineKey,
	}
	return moved && reached < wanted && !isSameSplit(splitInForce(next), inForce) ? null : next
}

function isSameList(left: Rollout['canaries'], right: Rollout['canaries']): boolean {
	return left.length === right.length && left.every((target) => right.some((other) => isSameTarget(target, other)))
}
