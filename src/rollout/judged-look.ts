import type { GuardParameters, GuardState, Look, Verdict } from '#guard/look.ts'
import type { Rollout } from './rollout.ts'
import { guardParametersOf } from './start-rollout.ts'
import { hasBaseline } from './wave.ts'

/**
 * Of looks as they are kept. Whoever changes what a look or the guard's parameters hold raises it, and says in
 * cli/replay.ts what those of the format before mean by it: they are tests of every later guard.
 */
export const judgedLookFormat = 2

/** One look that was judged, with all that it was judged by but the looks before it: so it can be judged again. */
export type JudgedLook = {
	readonly format: typeof judgedLookFormat
	/** Wall clock, for people. */
	readonly wallMs: number
	readonly step: number
	/** Where the guard stood: tells what has happened to it since the look before. */
	readonly before: GuardMark
	readonly look: Look
	readonly parameters: GuardParameters
	readonly baselineHasTraffic: boolean
	readonly verdict: VerdictWord
}

/** `advance`, `rollBack`, or of a hold its code. */
export type VerdictWord = Exclude<Verdict['kind'], 'hold'> | Extract<Verdict, { kind: 'hold' }>['code']

export type GuardMark = {
	readonly looks: number
	readonly lastSequence: number
	readonly stepStartDue: boolean
	/** Of canaries and baseline, since the evidence began. */
	readonly requests: number
}

/** What a look has done to a rollout; null where it was not judged: of another step, or seen before. */
export function judgedLookOf(before: Rollout, look: Look, after: Rollout, wallMs: number): JudgedLook | null {
	if (before.guard === after.guard || after.verdict === null) return null
	return {
		format: judgedLookFormat,
		wallMs,
		step: before.step,
		before: markOf(before.guard),
		look,
		parameters: guardParametersOf(before),
		baselineHasTraffic: hasBaseline(before, look),
		verdict: wordOf(after.verdict),
	}
}

export function markOf({ looks, lastSequence, stepStartDue, canaries }: GuardState): GuardMark {
	const counts = Object.values(canaries).map(({ final }) => final.counts[0] + final.counts[2])
	return { looks, lastSequence, stepStartDue, requests: counts.reduce((sum, count) => sum + count, 0) }
}

export function wordOf(verdict: Verdict): VerdictWord {
	return verdict.kind === 'hold' ? verdict.code : verdict.kind
}
