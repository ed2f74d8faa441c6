import { payoff } from '#guard/bet.ts'
import { errorBets } from '#guard/error-test.ts'
import { describeEvidence } from '#guard/evidence-text.ts'
import { judge, startGuard, startStep } from '#guard/judge.ts'
import type { CanaryLook, GuardParameters, GuardState, Look, MetricLook, Verdict } from '#guard/look.ts'
import { type JudgedLook, markOf, wordOf } from './judged-look.ts'

// The looks of a rollout, judged again by today's code: as they were, or as if its policy had said something else.

/** What of the policy is to have been otherwise. */
export type WhatIf = Partial<Pick<GuardParameters, 'alpha' | 'toleranceRatio' | 'tolerancePpm'>>

export type ReplayedLook = {
	readonly judged: JudgedLook
	/** Today's, with what came before judged likewise. */
	readonly verdict: Verdict
	/** What the guard knew then, in a sentence. */
	readonly text: string
	/** Today's answer is another one than was recorded. */
	readonly differs: boolean
	/**
	 * `pooled`: other tolerances were tried on the sums of proxies that had been compared one by one, or zone by zone; what
	 * these would have shown by themselves was not kept.
	 */
	readonly how: 'exact' | 'pooled'
}

export type Replay = {
	readonly looks: readonly ReplayedLook[]
	/**
	 * `whole`: every look, or up to the way back · `gap`: looks are missing after these, so that nobody knows what the guard
	 * would have known.
	 */
	readonly end: 'whole' | 'gap'
}

/** In the order in which they were judged. It ends with the first way back. */
export function replayLooks(judgedLooks: readonly JudgedLook[], whatIf: WhatIf = {}): Replay {
	const looks: ReplayedLook[] = []
	let state: GuardState | null = null
	let step: number | null = null
	for (const judged of judgedLooks) {
		const parameters = { ...judged.parameters, ...whatIf }
		const before = stateBefore({ state, step }, judged, parameters)
		if (before === null) return { looks, end: 'gap' }
		const { look, how } = lookAsIf(judged, whatIf)
		const { state: next, verdict } = judge(before, look, parameters, judged)
		looks.push({
			judged,
			verdict,
			text: describeEvidence(verdict.numbers),
			differs: wordOf(verdict) !== judged.verdict,
			how,
		})
		if (verdict.kind === 'rollBack') break
		state = next
		step = judged.step
	}
	return { looks, end: 'whole' }
}

type Chain = { readonly state: GuardState | null; readonly step: number | null }

/** What has happened to the guard since the look before: a new target, another step, a restart. Null: more than that. */
function stateBefore(
	{ state, step }: Chain,
	{ before, look, step: nextStep }: JudgedLook,
	parameters: GuardParameters,
): GuardState | null {
	const known = state === null ? null : markOf(state)
	const isAnew = known === null || (before.requests === 0 && (known.requests > 0 || known.looks > 0))
	let next = isAnew || state === null ? startGuard({ canaries: Object.keys(look.canaries), parameters }) : state
	if (before.lastSequence < next.lastSequence) next = { ...next, fresh: false, lastSequence: before.lastSequence }
	if (step !== nextStep || (before.stepStartDue && !next.stepStartDue)) next = startStep(next)
	const mark = markOf(next)
	const isSame = mark.looks === before.looks && mark.requests === before.requests
	return isSame && mark.lastSequence === before.lastSequence ? next : null
}

/** Other tolerances make other bets on the same counts. Of latency nothing is tried. */
function lookAsIf({ look, parameters }: JudgedLook, whatIf: WhatIf): { look: Look; how: ReplayedLook['how'] } {
	const { toleranceRatio, tolerancePpm } = whatIf
	if (toleranceRatio === undefined && tolerancePpm === undefined) return { look, how: 'exact' }
	const canaries = Object.entries(look.canaries)
	const isPooled = canaries.every(([, { final, attempts }]) =>
		[final, attempts].every((metric) => isSum(metric, parameters)),
	)
	const asIf = { ...parameters, ...whatIf }
	const changed = canaries.map(([key, canary]): [string, CanaryLook] => [
		key,
		{
			...canary,
			final: { ...canary.final, logFactors: factorsOf(canary.final, asIf) },
			attempts: { ...canary.attempts, logFactors: factorsOf(canary.attempts, asIf) },
			// What would be left without the worst endpoint is not known by these tolerances.
			withoutWorst: null,
		},
	])
	return { look: { ...look, canaries: Object.fromEntries(changed) }, how: isPooled ? 'exact' : 'pooled' }
}

/** Whether the bets of a look were laid on its sums: one stratum, and no proxy that was held to its part. */
function isSum(metric: MetricLook, parameters: GuardParameters): boolean {
	return factorsOf(metric, parameters).every((factor, index) => {
		const kept = metric.logFactors[index] ?? 0
		return Math.abs(factor - kept) <= 1e-9 * Math.max(1, Math.abs(kept))
	})
}

function factorsOf({ canary, baseline }: MetricLook, { toleranceRatio, tolerancePpm }: GuardParameters): number[] {
	const tolerance = { ratio: toleranceRatio, tolerance: tolerancePpm / 1_000_000 }
	const bets = errorBets(canary.requests, baseline.requests, tolerance)
	return bets.map((bet) => payoff(bet, { canary, baseline }))
}
