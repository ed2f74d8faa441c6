import { wholePpm } from '#plan/plan.ts'
import type { RouteMirror } from './effective-mesh.ts'
import { proportionOf } from './lanes.ts'
import { isGoingBack, isRunning, type Lane, type Rollout } from './rollout.ts'

// Before canaries have a share they may be sent copies of requests, by clusters of their own. Nobody waits for the answers.

/** Of the routes of a lane. Null: there is no step with a mirror, or it is over. */
export function mirrorOf(rollout: Rollout, lane: Lane): RouteMirror | null {
	const { canaries, lanes, stepsPpm, step, wave } = rollout
	const { mirrorPpm } = rollout.policy
	if (mirrorPpm === 0 || wave !== null || !isRunning(rollout) || stepsPpm[0] !== 0 || step > 0) return null
	const copies = proportionOf(canaries, lane).map(({ sharePpm, ...canary }) => {
		return { ...canary, sharePpm: Math.max(1, Math.round((sharePpm * mirrorPpm) / wholePpm)) }
	})
	const [{ id: calledAfter }] = lanes[0].routes
	return { copies, calledAfter, standing: step === 0 && !isGoingBack(rollout) ? 'routed' : 'beside' }
}
