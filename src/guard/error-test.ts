import { type Bet, logAddExp, logMeanExp } from './bet.ts'
import type { GuardParameters } from './look.ts'

// Is the canary worse than it may be? A conditional binomial e-process: anytime-valid, so it may be looked at after each
// look and stopped whenever it crosses. Method: Lindon and Malek, arXiv 2011.03567, with a grid of effect sizes in place
// of their mixture so that shares may change from look to look; restarts: Shin, Ramdas, Rinaldo, arXiv 2203.03532.

/** How many times worse the canary is taken to be: one bet on each, all with the same stake. */
export const effectSizes = [1.25, 1.6, 2, 3, 5, 8, 15, 30, 60, 120, 300, 1000] as const

/** No look gives more than this part of the evidence that is needed, so at least four bad looks are. */
const looksForProof = 3

/** Evidence beyond e^100 tells nobody anything and would leave the range of numbers one day. Capping stays fair. */
const maxLogEvidence = 100

/** Canary errors up to `ratio` × the baseline's share of errors + `tolerance` are accepted. */
export type Tolerance = { readonly ratio: number; readonly tolerance: number }

/**
 * The bets for one stratum of a look, by effect size. Fair for requests that fail independently, whatever the
 * baseline's share of errors p: E[exp L] ≤ exp(n_c p_c (A−1) + n_b p (B−1) − τ n_c (A−1)) by 1 + u ≤ e^u, which is
 * ≤ 1 for p_c ≤ ρ p + τ because ρ n_c A + n_b B = ρ n_c + n_b. Without traffic in one arm nothing is won or lost.
 */
export function errorBets(canaryRequests: number, baselineRequests: number, { ratio, tolerance }: Tolerance): Bet[] {
	if (canaryRequests === 0 || baselineRequests === 0) return effectSizes.map(() => noBet)
	return effectSizes.map((effect) => {
		const onBaselineError = Math.log(
			(ratio * canaryRequests + baselineRequests) / (ratio * effect * canaryRequests + baselineRequests),
		)
		const onCanaryError = Math.log(effect) + onBaselineError
		return { onCanaryError, onBaselineError, perCanaryRequest: -tolerance * (Math.exp(onCanaryError) - 1) }
	})
}

const noBet: Bet = { onCanaryError: 0, onBaselineError: 0, perCanaryRequest: 0 }

export type Evidence = readonly number[]

/** Before the first look: ln 0 on each effect size. */
export const noEvidence: Evidence = effectSizes.map(() => -Infinity)

/**
 * The evidence after one more look: S ← (S + γ) · exp(L), in logarithms. `logFactors` are the sums of L over the look's
 * strata; φ divides them (errors that come in bursts count for less) and the clip bounds them. Both only ever take
 * evidence away, so the process stays fair as long as all γ together are at most 1.
 */
export function addLook(
	evidence: Evidence,
	logFactors: readonly number[],
	{ alpha, phi, restart }: Pick<GuardParameters, 'alpha' | 'phi'> & { readonly restart: number },
): number[] {
	const clip = largestLogFactor(alpha)
	const logRestart = Math.log(restart)
	return evidence.map((logSum, index) => {
		const logFactor = Math.min((logFactors[index] ?? 0) / overDispersion(phi), clip)
		return Math.min(logAddExp(logSum, logRestart) + logFactor, maxLogEvidence)
	})
}

/** ln of the most that one look may multiply the evidence by. */
export function largestLogFactor(alpha: number): number {
	return -Math.log(alpha) / looksForProof
}

/** φ as it is used: below 1 it would make evidence out of nothing. */
export function overDispersion(phi: GuardParameters['phi']): number {
	return Math.max(phi.value, 1)
}

/** ln of the evidence of one test, or of several that share one α: a mean of fair processes is fair. */
export function logEvidence(tests: readonly Evidence[]): number {
	return logMeanExp(tests.map(logMeanExp))
}
