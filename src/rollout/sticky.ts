import type { Split, Target } from '#plan/plan.ts'
import { isSameTarget } from '#plan/split.ts'
import type { RouteSticky } from './effective-mesh.ts'
import { hasShare, splitInForce } from './ladder.ts'
import { isRunning, type Lane, type Rollout } from './rollout.ts'

// While canaries have a share, a policy may have requests drawn by the hash of a user and not by chance. It begins with the
// first share and ends with the rollout, or with the first word of a way back: by the push that moves the shares anyway.

/** Of the routes of a lane. Null: whoever sends a request, it is drawn by chance. */
export function stickyOf(rollout: Rollout, lane: Lane): RouteSticky | null {
	const { policy, phase } = rollout
	if (policy.sticky === null || !isRunning(rollout) || phase.kind === 'rollingBack' || !hasShare(rollout)) return null
	return { by: policy.sticky, order: orderOf(rollout, splitInForce(rollout, lane)) }
}

/**
 * A hash falls into cumulated shares. What rises at an end of them only grows, so no user who has it loses it: of two
 * canaries one is first and one last. What falls lies beside them, so that of one canary what does not change stays put.
 */
function orderOf({ canaries, baseline }: Rollout, split: Split): readonly Target[] {
	const targets = split.map(({ virtualNode, port }): Target => ({ virtualNode, port }))
	const isOneOf = (others: readonly Target[]) => (target: Target) => others.some((other) => isSameTarget(other, target))
	const rising = targets.filter(isOneOf(canaries))
	const others = targets.filter((target) => !isOneOf(canaries)(target))
	const unchanged = others.filter((target) => !isOneOf(baseline)(target))
	const head = rising.length > 1 ? rising.slice(0, 1) : []
	return [...head, ...unchanged, ...others.filter(isOneOf(baseline)), ...rising.slice(head.length)]
}
