import { wholePpm } from '#plan/plan.ts'
import { shareOf, splitOfWeights } from '#plan/split.ts'
import type { RouteMirror } from './effective-mesh.ts'
import { isRunning, type Lane, type Rollout } from './rollout.ts'

// Before canaries have a share they may be sent copies of requests, by clusters of their own. Nobody waits for the answers.

/** Of the routes of a lane. Null: there is no step with a mirror, or it is over. */
export function mirrorOf(rollout: Rollout, { target }: Lane): RouteMirror | null {
	const { canaries, lanes, stepsPpm, step, phase, wave } = rollout
	const { mirrorPpm } = rollout.policy
	if (mirrorPpm === 0 || wave !== null || !isRunning(rollout) || stepsPpm[0] !== 0 || step > 0) return null
	// Several canaries have them in the proportion that the target has them in.
	const parts = splitOfWeights(canaries.map((canary) => ({ ...canary, weight: shareOf(target, canary) })))
	const copies = parts.map(({ sharePpm, ...canary }) => {
		return { ...canary, sharePpm: Math.max(1, Math.round((sharePpm * mirrorPpm) / wholePpm)) }
	})
	const [{ id: calledAfter }] = lanes[0].routes
	return { copies, calledAfter, standing: step === 0 && phase.kind !== 'rollingBack' ? 'routed' : 'beside' }
}
