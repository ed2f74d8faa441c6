import { startGuard } from '#guard/judge.ts'
import type { GuardParameters, LatencyParameters } from '#guard/look.ts'
import { defaultPhi } from '#guard/over-dispersion.ts'
import { newThreshold } from '#guard/threshold.ts'
import type { LatencyGuard, RolloutPolicySpec } from '#mesh/mesh.ts'
import type { ShiftGroup } from '#plan/plan.ts'
import { isSameSplit, isSameTarget, shareOfAll, targetKey } from '#plan/split.ts'
import { errorsGuardOf, latencyGuardOf, thresholdGuardsOf } from './guards-of-policy.ts'
import { ladderOf, splitInForce } from './ladder.ts'
import { lanesOf, partitionOf } from './lanes.ts'
import { type Lane, type Rollout, routesOf } from './rollout.ts'

/** A rollout that has not moved anything yet. */
export type RolloutStart = {
	readonly id: string
	readonly group: ShiftGroup
	readonly revision: string
	readonly wallMs: number
	/** As measured; the default where nothing was. */
	readonly phi?: GuardParameters['phi']
}

export function startRollout({ id, group, revision, wallMs, phi = defaultPhi }: RolloutStart): Rollout {
	const { rising, falling, policy } = group
	const lanes = lanesOf(group.shifts)
	const stepsPpm = ladderOf(policy, lanes, rising)
	return {
		id,
		lanes,
		revision,
		canaries: rising,
		baseline: falling,
		policy,
		stepsPpm,
		step: -1,
		clones: 'none',
		phase: { kind: 'pending' },
		holds: [],
		confirmed: false,
		phi,
		guard: newGuard({ policy, canaries: rising, stepsPpm, phi }),
		thresholds: newThresholds(policy),
		hooks: {},
		verdict: null,
		elapsed: { stepMs: 0, sinceChangeMs: 0, sinceLookMs: 0, sinceForwardMs: null, stepTotalMs: 0, totalMs: 0 },
		stepBack: 'none',
		promotion: null,
		approval: null,
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
 * the shares in force do not lie on the way from `good` to the new target, or its routes are no longer one rollout, or
 * cannot be counted as before: then the rollout must first go back.
 * @param group what is asked of its routes, from their last good shares
 */
export function retargetRollout(rollout: Rollout, group: ShiftGroup, revision: string): Rollout | null {
	if (group.shifts.length !== routesOf(rollout).length) return null
	const { rising: canaries, falling: baseline, policy } = group
	if (!isSameList(canaries, rollout.canaries) || !isSameList(baseline, rollout.baseline)) return null
	const lanes = lanesOf(group.shifts)
	const moved = rollout.step >= 0
	const isCountedAlike = partitionOf(lanes) === partitionOf(rollout.lanes)
	if (!isCountedAlike && (moved || rollout.clones !== 'none')) return null
	const sharesOf = (lane: Lane) => shareOfAll(splitInForce(rollout, lane), canaries)
	const reached = Math.max(...rollout.lanes.map(sharesOf))
	const ladder = ladderOf(policy, lanes, canaries)
	// Less than what is in force: a step down, which needs no evidence. More: the step in force stays the first one.
	const isLess = lanes.every((lane, index) => {
		const before = rollout.lanes[index]
		return before !== undefined && shareOfAll(lane.target, canaries) <= sharesOf(before)
	})
	const wanted = ladder.slice(-1)
	const stepsPpm = !moved ? ladder : isLess ? wanted : [reached, ...ladder.filter((share) => share > reached)]
	// Clusters are brought before the first step: what is in front, and a mirror in force, stay what they were then.
	const { front, mirrorPpm } = moved ? rollout.policy : policy
	const next: Rollout = {
		...rollout,
		lanes,
		revision,
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
	}
	return moved && !isLess && !isSameInForce(rollout, next) ? null : next
}

function isSameInForce(before: Rollout, after: Rollout): boolean {
	return after.lanes.every((lane, index) => {
		const old = before.lanes[index]
		return old !== undefined && isSameSplit(splitInForce(after, lane), splitInForce(before, old))
	})
}

function isSameList(left: Rollout['canaries'], right: Rollout['canaries']): boolean {
	return left.length === right.length && left.every((target) => right.some((other) => isSameTarget(target, other)))
}
