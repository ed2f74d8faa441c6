import type { RouteFront } from './effective-mesh.ts'
import { isWithoutShare } from './ladder.ts'
import { proportionOf } from './lanes.ts'
import { isGoingBack, isRunning, type Lane, type Rollout } from './rollout.ts'

// What a policy has in front: requests that a rollout sends to its canaries whatever the shares, by clusters of their own
// that all of its routes share.
// It comes with the first step and goes with the end, or with the first word of a way back.

/** Of the routes of a lane. Null: it has nothing in front, or has ended. */
export function frontOf(rollout: Rollout, lane: Lane): RouteFront | null {
	const { policy, wave, canaries, lanes } = rollout
	if (policy.front.length === 0 || wave !== null || !isRunning(rollout) || hadEnded(rollout)) return null
	const [{ id: calledAfter }] = lanes[0].routes
	const split = proportionOf(canaries, lane)
	return { matches: policy.front, split, calledAfter, standing: isInFront(rollout) ? 'routed' : 'beside' }
}

/** It is taken back after its success: its clusters are not there, and a way back brings nothing that it does not need. */
function hadEnded({ phase }: Rollout): boolean {
	return phase.kind === 'rollingBack' && phase.cause.by === 'rollback'
}

function isInFront(rollout: Rollout): boolean {
	return rollout.step >= 0 && !isGoingBack(rollout)
}

/** Requests that canaries have had at the step in force: where they have no share, beside it. */
export function requestsOfStep(rollout: Pick<Rollout, 'guard' | 'stepsPpm' | 'step'>): number {
	return isWithoutShare(rollout) ? rollout.guard.beside[0] : rollout.guard.stepRequests
}
