import { limits } from '#base/limits.ts'
import { changeStep } from './change-step.ts'
import { describeInForce } from './describe-step.ts'
import { goBack } from './go-back.ts'
import { clip, rampHolds } from './holds.ts'
import { hasShare } from './ladder.ts'
import type { Phase, Rollout, RolloutEvent, RolloutStepResult } from './rollout.ts'

// An abort that takes its time, since what was good may have been scaled down meanwhile and would not bear all of the
// traffic at once. A person asks for it; the guard goes on, and takes the rest back at once.

type ByRamp = Extract<RolloutEvent, { kind: 'abortByRamp' }>
type Ramping = Extract<Phase, { kind: 'ramping' }>
type Turn = Extract<RolloutEvent, { kind: 'turn' }>

/** Where no share has moved there is nothing to go down by, and proxies of waves go back together. */
export function startRamp(rollout: Rollout, { command, overMs }: ByRamp): RolloutStepResult {
	const cause = { by: 'command' as const, ...command }
	if (!hasShare(rollout) || rollout.wave !== null) return goBack(rollout, cause)
	const kept = { ...cause, reason: clip(command.reason) }
	const phase: Ramping = { kind: 'ramping', cause: kept, ramp: { partsLeft: limits.rampParts - 1, overMs } }
	return lower(rollout, phase, { sinceChangeMs: 0, reason: command.reason })
}

/**
 * The parts that are due by now. Each is written down before it is served, and does not land where what was good has no
 * healthy host; the last is a way back like any other, which comes when its time is over whatever held the others.
 */
export function rampDown(rollout: Rollout, phase: Ramping, { facts, forward }: Turn): RolloutStepResult {
	const { cause, ramp } = phase
	const { sinceChangeMs } = rollout.elapsed
	const partMs = ramp.overMs / (limits.rampParts - 1)
	const due = Math.floor(sinceChangeMs / partMs)
	if (due >= ramp.partsLeft) return goBack(rollout, cause)
	const holds = due === 0 ? [] : rampHolds(facts, { isDurable: forward })
	if (due === 0 || holds.length > 0) return { rollout: { ...rollout, holds }, notes: [] }
	const next = { ...phase, ramp: { ...ramp, partsLeft: ramp.partsLeft - due } }
	// What a turn came too late is not added up.
	return lower(rollout, next, { sinceChangeMs: sinceChangeMs - due * partMs, reason: cause.reason })
}

type Lowering = { readonly sinceChangeMs: number; readonly reason: string }

/** Other shares of the step in force; what speaks against the canary stays. */
function lower(rollout: Rollout, phase: Ramping, { sinceChangeMs, reason }: Lowering): RolloutStepResult {
	const changed = changeStep(rollout, rollout.step)
	const next: Rollout = { ...changed, phase, elapsed: { ...changed.elapsed, sinceChangeMs } }
	const numbers = { from: describeInForce(rollout), to: describeInForce(next), ...phase.ramp, parts: limits.rampParts }
	return { rollout: next, notes: [{ event: 'rollout.ramping', actor: phase.cause.actor, reason, numbers }] }
}
