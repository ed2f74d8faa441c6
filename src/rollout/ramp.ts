import { limits } from '#base/limits.ts'
import { startStep } from '#guard/judge.ts'
import { describeInForce } from './describe-step.ts'
import { goBack } from './go-back.ts'
import { clip } from './holds.ts'
import { hasShare } from './ladder.ts'
import type { Hold, Phase, Rollout, RolloutEvent, RolloutStepResult } from './rollout.ts'
import { startThresholdsStep } from './thresholds.ts'

// An abort that takes its time, since what was good may have been scaled down meanwhile and would not bear all of the
// traffic at once. A person asks for it; the guard goes on, and takes the rest back at once.

type ByRamp = Extract<RolloutEvent, { kind: 'abortByRamp' }>
type Ramping = Extract<Phase, { kind: 'ramping' }>

/** Where no share has moved there is nothing to go down by, and proxies of waves go back together. */
export function startRamp(rollout: Rollout, { command, overMs }: ByRamp): RolloutStepResult {
	const cause = { by: 'command' as const, ...command, reason: clip(command.reason) }
	if (!hasShare(rollout) || rollout.wave !== null) return goBack(rollout, cause)
	return lower(rollout, { kind: 'ramping', cause, ramp: { partsLeft: limits.rampParts - 1, overMs } }, 0)
}

/**
 * The parts that are due by now. Each is written down before it is served, and does not land where what was good has no
 * healthy host; the last is a way back like any other, which comes when its time is over whatever held the others.
 */
export function rampDown(rollout: Rollout, phase: Ramping, { facts, forward }: Turn): RolloutStepResult {
	const { partsLeft, overMs } = phase.ramp
	const { sinceChangeMs } = rollout.elapsed
	const partMs = overMs / (limits.rampParts - 1)
	const due = Math.floor(sinceChangeMs / partMs)
	if (due >= partsLeft) return goBack(rollout, phase.cause)
	const holds = due === 0 ? [] : [...durableHolds(forward), ...strandedHolds(facts.stranded)]
	if (due === 0 || holds.length > 0) return { rollout: { ...rollout, holds }, notes: [] }
	// What a turn came too late is not added up.
	return lower(rollout, { ...phase, ramp: { partsLeft: partsLeft - due, overMs } }, sinceChangeMs - due * partMs)
}

type Turn = Extract<RolloutEvent, { kind: 'turn' }>

function durableHolds(forward: boolean): Hold[] {
	return forward ? [] : [{ code: 'NOT_DURABLE', text: 'the store does not answer: the ramp waits' }]
}

function strandedHolds(stranded: readonly string[]): Hold[] {
	if (stranded.length === 0) return []
	const names = stranded.slice(0, limits.holdNames).join(', ')
	return [{ code: 'LAST_GOOD_UNHEALTHY', text: `last good has no healthy host at ${names}: the ramp waits` }]
}

/** Other shares in force, of which nothing is known yet; what speaks against the canary stays. */
function lower(rollout: Rollout, phase: Ramping, sinceChangeMs: number): RolloutStepResult {
	const { cause, ramp } = phase
	const next: Rollout = {
		...rollout,
		phase,
		holds: [],
		confirmed: false,
		guard: startStep(rollout.guard),
		thresholds: startThresholdsStep(rollout.thresholds),
		verdict: null,
		stepBack: 'none',
		promotion: null,
		approval: null,
		elapsed: { ...rollout.elapsed, stepMs: 0, sinceChangeMs, sinceLookMs: 0 },
	}
	const numbers = { from: describeInForce(rollout), to: describeInForce(next), ...ramp, parts: limits.rampParts }
	return {
		rollout: next,
		notes: [{ event: 'rollout.ramping', actor: cause.actor, reason: cause.reason, numbers }],
	}
}
