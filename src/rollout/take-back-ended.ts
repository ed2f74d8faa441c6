import { goBack } from './go-back.ts'
import type { BackCause, Rollout, RolloutStepResult } from './rollout.ts'

/**
 * A rollout that has succeeded goes back to the shares before it, because a person says so, or had said so before a crash:
 * from now on those are in force, and it runs until every proxy has confirmed them.
 * @param askedKey quarantine key of what Git asks for by now; null when that is not known to be anything else
 */
export function takeBackEnded(rollout: Rollout, cause: BackCause, askedKey: string | null): RolloutStepResult {
	const quarantineKey = askedKey ?? rollout.quarantineKey
	return goBack({ ...rollout, quarantineKey, endedWallMs: null }, cause)
}
