import { clipCommand } from './holds.ts'
import { type Command, isGoingBack, type Promotion, type Rollout, type RolloutStepResult } from './rollout.ts'

// What a person does to a rollout that goes forward. Whether it makes sense is asked before.

export function approve(rollout: Rollout, command: Command): RolloutStepResult {
	if (isGoingBack(rollout)) return { rollout, notes: [] }
	return {
		rollout: { ...rollout, approval: clipCommand(command) },
		notes: [{ event: 'rollout.approved', ...command, numbers: { step: rollout.step } }],
	}
}

export function promote(rollout: Rollout, promotion: Promotion): RolloutStepResult {
	if (isGoingBack(rollout)) return { rollout, notes: [] }
	const { actor, reason, reach } = promotion
	return {
		rollout: { ...rollout, promotion: { ...clipCommand(promotion), reach } },
		notes: [{ event: 'rollout.promote', actor, reason, numbers: { step: rollout.step, reach } }],
	}
}

/** Stops what goes forward, and nothing else: the guard and the fleet are listened to as ever. */
export function pause(rollout: Rollout, command: Command): RolloutStepResult {
	if (isGoingBack(rollout)) return { rollout, notes: [] }
	return {
		rollout: { ...rollout, phase: { kind: 'paused', by: clipCommand(command) }, holds: [], promotion: null },
		notes: [{ event: 'rollout.paused', ...command, numbers: { step: rollout.step } }],
	}
}

export function resume(rollout: Rollout, command: Command): RolloutStepResult {
	if (rollout.phase.kind !== 'paused') return { rollout, notes: [] }
	return {
		rollout: { ...rollout, phase: { kind: rollout.step === -1 ? 'pending' : 'stepping' } },
		notes: [{ event: 'rollout.resumed', ...command, numbers: { step: rollout.step } }],
	}
}
