// Do the proxies apply the weights? The share of requests that reach a canary is held against the share that was decided,
// in both directions. It takes nothing back: a canary that is not sent what it should be is untested, and the steps wait.
// Envoy draws the target of each request by itself, so of n requests the canary's are Binomial(n, share): bets on other
// shares are likelihood ratios, exactly fair. Between half and twice the share lies what slow answers can feign, so no bet
// lies nearer than that.

/** Odds of the canary against the baseline, as multiples of those that were decided. */
const otherOdds = [1 / 50, 1 / 8, 1 / 4, 1 / 2, 2, 4, 8] as const

export const noShareEvidence: readonly number[] = otherOdds.map(() => -Infinity)

/** By other odds: ln of (q/p)^x · ((1−q)/(1−p))^(n−x), as x canary requests of n that canary and baseline had. */
export function shareFactors({ canary, baseline }: RequestsByArm, share: number): number[] {
	return otherOdds.map((multiple) => {
		const odds = (multiple * share) / (1 - share)
		const other = odds / (1 + odds)
		return canary * Math.log(other / share) + baseline * Math.log((1 - other) / (1 - share))
	})
}

/** Requests that a canary and the baseline had. */
export type RequestsByArm = { readonly canary: number; readonly baseline: number }
