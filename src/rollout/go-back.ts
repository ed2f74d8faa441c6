import { describeInForce } from './describe-step.ts'
import { clip } from './holds.ts'
import type { BackCause, Rollout, RolloutNote, RolloutStepResult } from './rollout.ts'

/** Immediate, whatever the phase: the shares of `good` are in force from now on. */
export function goBack(rollout: Rollout, cause: BackCause, numbers: Record<string, unknown> = {}): RolloutStepResult {
	if (rollout.phase.kind === 'rollingBack') return { rollout, notes: [] }
	const back: Rollout = {
		...rollout,
		phase: { kind: 'rollingBack', cause: { ...cause, reason: clip(cause.reason) } },
		holds: [],
		confirmed: false,
		hooks: {},
		stepBack: 'none',
		promotion: null,
		approval: null,
		elapsed: { ...rollout.elapsed, stepMs: 0, sinceChangeMs: 0 },
	}
	const note: RolloutNote = {
		event: 'rollout.rollingBack',
		actor: cause.actor,
		reason: cause.reason,
		numbers: { from: describeInForce(rollout), to: describeInForce(back), by: cause.by, ...numbers },
	}
	return { rollout: back, notes: [note] }
}
