import { unreachable } from '#base/assert.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import type { Sticky } from '#mesh/route-spec.ts'
import { formatShare } from '#plan/split.ts'
import { errorsGuardOf } from './guards-of-policy.ts'

/** For people: `header x-user`. */
export function describeSticky({ kind, name }: Sticky): string {
	switch (kind) {
		case 'header':
		case 'cookie':
			return `${kind} ${name}`
		default:
			return unreachable(kind)
	}
}

/** Whose requests stay together, and what follows for the guard; null where all are drawn by chance. */
export function describeUsers(policy: RolloutPolicySpec): string | null {
	if (policy.sticky === null) return null
	const limit = formatShare(errorsGuardOf(policy).absoluteLimitPpm)
	return `drawn by ${describeSticky(policy.sticky)}: more than ${limit} of failed requests take it back, a comparison only holds it`
}
