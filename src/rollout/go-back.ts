import { formatSplit } from '#plan/split.ts'
import { clip } from './holds.ts'
import { splitInForce } from './ladder.ts'
import type { BackCause, Rollout, RolloutNote, RolloutStepResult } from './rollout.ts'

/** Immediate, whatever the phase: the shares of `good` are in force from now on. */
export function goBack(rollout: Rollout, cause: BackCause, numbers: Record<string, unknown> = {}): RolloutStepResult {
	if (rollout.phase.kind === 'rollingBack') return { rollout, notes: [] }
	const note: RolloutNote = {
		event: 'rollout.rollingBack',
		actor: cause.actor,
		reason: cause.reason,
		numbers: { from: formatSplit(splitInForce(rollout)), to: formatSplit(rollout.good), by: cause.by, ...numbers },
	}
	return {
		rollout: {
			...rollout,
			phase: { kind: 'rollingBack', cause: { ...cause, reason: clip(cause.reason) } },
			holds: [],
			confirmed: false,
			promotion: null,
			elapsed: { ...rollout.elapsed, stepMs: 0, sinceChangeMs: 0 },
		},
		notes: [note],
	}
}
