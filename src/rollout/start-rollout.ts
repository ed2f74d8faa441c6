import { startGuard } from '#guard/judge.ts'
import type { GuardParameters, LatencyParameters } from '#guard/look.ts'
import { defaultPhi } from '#guard/over-dispersion.ts'
import { newThreshold } from '#guard/threshold.ts'
import type { LatencyGuard, RolloutPolicySpec } from '#mesh/mesh.ts'
import type { ShiftGroup } from '#plan/plan.ts'
import { targetKey } from '#plan/split.ts'
import { drawnOf, errorsGuardOf, latencyGuardOf, thresholdGuardsOf } from './guards-of-policy.ts'
import { ladderOf } from './ladder.ts'
import { lanesOf } from './lanes.ts'
import type { Rollout } from './rollout.ts'

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
		drawn: drawnOf(policy),
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

/** Without evidence. */
export function newGuard(rollout: Guarded & Pick<Rollout, 'canaries'>): Rollout['guard'] {
	return startGuard({ canaries: rollout.canaries.map(targetKey), parameters: guardParametersOf(rollout) })
}
