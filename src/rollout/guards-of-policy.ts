import type { GuardParameters } from '#guard/look.ts'
import type { ErrorsGuard, LatencyGuard, RolloutPolicySpec, ThresholdGuard } from '#mesh/mesh.ts'
import { defaultErrorsGuard } from '#mesh/rollout-policy.ts'

/** The hard limit is never off: a policy that writes no `errors` guard has the default one. */
export function errorsGuardOf({ guards }: RolloutPolicySpec): ErrorsGuard {
	return guards.find((guard) => guard.kind === 'errors') ?? defaultErrorsGuard
}

/** Whether a step needs proof from proxies' counters. Without, what they count can still take a rollout back. */
export function demandsCounters({ guards }: RolloutPolicySpec): boolean {
	return guards.some((guard) => guard.kind !== 'threshold')
}

/** Null: how long requests take is not judged. */
export function latencyGuardOf({ guards }: RolloutPolicySpec): LatencyGuard | null {
	return guards.find((guard) => guard.kind === 'latency') ?? null
}

export function thresholdGuardsOf({ guards }: RolloutPolicySpec): readonly ThresholdGuard[] {
	return guards.filter((guard) => guard.kind === 'threshold')
}

/** What a rollout draws by chance, and so what the guard may take for independent. */
export function drawnOf({ sticky }: RolloutPolicySpec): NonNullable<GuardParameters['drawn']> {
	return sticky === null ? 'requests' : 'users'
}
