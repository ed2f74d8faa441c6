import { requestsOfStep } from './front.ts'
import { watchHolds } from './hooks.ts'
import { demandsOfStep } from './ladder.ts'
import type { DeadlineCause, Hold, Rollout } from './rollout.ts'

// What happens to a rollout, or to one of its steps, that takes longer than it may. Advancing is for want of requests
// alone: silence, a proxy that is missing, a gate or anything else that is not there is never taken for good news.

export type Overdue = {
	/** Which deadline has passed, in a sentence. */
	readonly text: string
	readonly cause: DeadlineCause
	/** What the policy says. */
	readonly action: 'hold' | 'advance' | 'rollBack'
}

/**
 * Null while no deadline has passed.
 * @param missing what keeps it from the next step, apart from time
 */
export function findOverdue(rollout: Rollout, missing: readonly Hold[]): Overdue | null {
	const { policy, elapsed, step } = rollout
	if (elapsed.totalMs > policy.deadlineMs)
		return { text: `not done after ${seconds(policy.deadlineMs)}`, cause: 'deadline', action: policy.onDeadline }
	const { deadlineMs } = demandsOfStep(rollout)
	if (step === -1 || deadlineMs === null || elapsed.stepTotalMs <= deadlineMs) return null
	const text = `step ${step + 1} not done after ${seconds(deadlineMs)}`
	const cause = causeOf(rollout, missing)
	switch (cause) {
		case 'noTraffic':
			return { text: `${text}, and no request came`, cause, action: policy.onNoTraffic }
		case 'inconclusive':
			return { text: `${text}, and too few requests came to tell`, cause, action: policy.onInconclusive }
		case 'deadline':
			return { text, cause, action: policy.onDeadline }
	}
}

function causeOf(rollout: Rollout, missing: readonly Hold[]): DeadlineCause {
	const isTraffic = missing.length > 0 && missing.every(({ code }) => code === 'MORE_REQUESTS')
	if (!isTraffic) return 'deadline'
	return requestsOfStep(rollout) === 0 ? 'noTraffic' : 'inconclusive'
}

function seconds(ms: number): string {
	return `${Math.round(ms / 1000)} s`
}

/** Time of which this part counts for a deadline: a person, a freeze or a window may take as long as it takes. */
export function countedMs(rollout: Rollout, ms: number): { readonly step: number; readonly total: number } {
	const { phase, holds } = rollout
	const isHeld =
		phase.kind === 'paused' ||
		phase.kind === 'ramping' ||
		holds.some(({ code }) => code === 'FROZEN' || code === 'WINDOW')
	if (isHeld) return { step: 0, total: 0 }
	// A gate that nobody opens is what a step's deadline is for; the rollout's is for what gets nowhere by itself.
	const isGate = holds.length > 0 && holds.every(({ code }) => code === 'GATE' || code === 'HOOK')
	return { step: ms, total: isGate && watchHolds(rollout).length === 0 ? 0 : ms }
}
