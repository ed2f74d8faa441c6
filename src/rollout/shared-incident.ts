import { limits } from '#base/limits.ts'
import { armsOfFour } from '#guard/arms.ts'
import { describeIncident } from '#guard/evidence-text.ts'
import { formatShare } from '#plan/split.ts'
import { changeStep } from './change-step.ts'
import { describeInForce } from './describe-step.ts'
import { goBack } from './go-back.ts'
import type { Rollout, RolloutEvent, RolloutStepResult } from './rollout.ts'

// What a rollout does about a shared incident, beside taking no step forward (rules, motion 9).

/**
 * What a look leads to. A step back, when the incident begins with it and soon after a step: what was done last may have
 * caused it, by way of something that both versions need.
 */
export function meetIncident(before: Rollout, rollout: Rollout): RolloutStepResult {
	const { incident } = rollout.guard
	const { onSharedIncident } = rollout.policy
	const begins = incident.kind === 'shared' && before.guard.incident.kind === 'none'
	if (!begins || onSharedIncident === 'hold') return { rollout, notes: [] }
	if (onSharedIncident === 'stepBack') {
		// A wave only grows: what a proxy was given it keeps, or all give it back.
		if (rollout.wave !== null) return { rollout, notes: [] }
		return { rollout: isSoonAfterStep(rollout) ? { ...rollout, stepBack: 'due' } : rollout, notes: [] }
	}
	const reason = describeIncident(armsOfFour(incident.shown))
	return goBack(rollout, { by: 'guard', reason, actor: 'sluice' }, { incident: armsOfFour(incident.shown) })
}

function isSoonAfterStep({ elapsed: { sinceForwardMs } }: Rollout): boolean {
	return sinceForwardMs !== null && sinceForwardMs <= limits.incidentAfterStepMs
}

/** Not where it would land on a baseline without a healthy host. */
export function isStepBackDue(rollout: Rollout, turn: Extract<RolloutEvent, { kind: 'turn' }>): boolean {
	return rollout.stepBack === 'due' && turn.forward && rollout.step >= 0 && turn.facts.stranded.length === 0
}

/**
 * One step less, not quarantined: the share rises again only by steps forward, when the baseline is well and everything
 * else allows it.
 */
export function stepBack(rollout: Rollout): RolloutStepResult {
	const { incident } = rollout.guard
	if (incident.kind === 'none') return { rollout: { ...rollout, stepBack: 'none' }, notes: [] }
	const next = changeStep(rollout, rollout.step - 1)
	const lower: Rollout = { ...next, elapsed: { ...next.elapsed, sinceForwardMs: null } }
	const share = formatShare(rollout.stepsPpm[rollout.step] ?? 0)
	const reason = `${describeIncident(armsOfFour(incident.shown))}; from ${share} one step back as a precaution`
	const numbers = { step: lower.step, split: describeInForce(lower), incident: armsOfFour(incident.shown) }
	return { rollout: lower, notes: [{ event: 'rollout.steppedBack', actor: 'sluice', reason, numbers }] }
}
