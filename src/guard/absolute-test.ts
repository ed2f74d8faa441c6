import type { Bet } from './bet.ts'
import { effectSizes } from './error-test.ts'
import { goodness } from './non-inferiority.ts'

// Where the shares in force leave the baseline no traffic there is nothing to compare with: the canary is then held
// against a fixed share of errors. It judges final failures only: a limit on attempts would take back a version whose
// attempts fail as often as the old one's did, hidden by the same retries.
// Its bets lie on the same effect sizes as those of the error test, as odds, and multiply the same sums: whether a look
// is judged against the baseline or the limit follows from the shares, so the product of fair factors stays fair, and
// one α covers both.

/**
 * By effect size r: the likelihood ratio of q against the limit p, with the odds of q r times those of p, which is
 * r^x / (1 + p(r − 1))^n. Exactly fair at p, and more than fair below.
 */
export function absoluteErrorBets(limit: number): Bet[] {
	return effectSizes.map((effect) => ({
		onCanaryError: Math.log(effect),
		onBaselineError: 0,
		perCanaryRequest: -Math.log1p(limit * (effect - 1)),
	}))
}

/** By goodness A: A^x · exp(p n (1 − A)), which refutes "errors of at least the limit p". */
export function absoluteProofBets(limit: number): Bet[] {
	return goodness.map((share) => ({
		onCanaryError: Math.log(share),
		onBaselineError: 0,
		perCanaryRequest: limit * (1 - share),
	}))
}
