import { goBack } from './go-back.ts'
import type { BackCause, Rollout, RolloutStepResult } from './rollout.ts'

/**
 * A rollout that has succeeded goes back to the shares before it, because a person says so, or had said so before a crash:
 * from now on those are in force, and it runs until every proxy has confirmed them.
 * @param lanes its routes that still have what it brought, with the quarantine keys of what Git asks for by now
 */
export function takeBackEnded(rollout: Rollout, cause: BackCause, lanes: Rollout['lanes']): RolloutStepResult {
	return goBack({ ...rollout, lanes, endedWallMs: null }, cause)
}
