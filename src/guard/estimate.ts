import { absoluteProofBets } from './absolute-test.ts'
import type { Arms } from './arms.ts'
import { fromStored, payoff } from './bet.ts'
import type { GuardParameters } from './look.ts'
import { noProofs, proofBets, requestsUntilProof } from './non-inferiority.ts'

// How many canary requests the proof of a step takes: shown by `plan` before the merge and by a held rollout.

/** Below this a smaller ratio changes nothing any more. */
const smallestRatio = 1e-9

export type ProofOutlook = {
	/** The share of requests that fail at the baseline, and at a canary that is as good. */
	readonly baselineErrorShare: number
	/** Canary requests for each baseline request; Infinity where the baseline has no traffic. */
	readonly canaryPerBaseline: number
	readonly absoluteLimitPpm: number
	/** As in the guard's parameters: where users are drawn, a step waits for the limit and for the comparison. */
	readonly drawn?: GuardParameters['drawn']
}

/**
 * About how many canary requests a step needs for its proof if the canary is as good as the baseline; null where that
 * would never get it.
 */
export function estimateProofRequests(outlook: ProofOutlook): number | null {
	return expectedProofRequests({ ...outlook, canaryErrorShare: outlook.baselineErrorShare })
}

/**
 * The same from proofs that have begun; null is -Infinity. Where even a canary as good as the baseline would never get
 * its proof (a high share of errors, hardly any baseline traffic), the figure for a canary without further errors.
 */
export function estimateMissingRequests(proofs: readonly (number | null)[], outlook: ProofOutlook): number {
	const logs = proofs.map(fromStored)
	const growths = expectedGrowths(outlook)
	const canGrow = growths.some((growth, index) => growth > 0 && logs[index] !== -Infinity)
	return requestsUntilProof(logs, canGrow ? growths : expectedGrowths({ ...outlook, baselineErrorShare: 0 }))
}

/** The same for a canary with a share of errors of its own; null where it never gets its proof. */
export function expectedProofRequests(outlook: ExpectedOutlook): number | null {
	if (outlook.drawn !== 'users' || outlook.canaryPerBaseline === Infinity) return requestsOfProof(outlook)
	const below = requestsOfProof({ ...outlook, canaryPerBaseline: Infinity })
	const compared = requestsOfProof(outlook)
	return below === null || compared === null ? null : Math.max(below, compared)
}

type ExpectedOutlook = ProofOutlook & { readonly canaryErrorShare: number }

function requestsOfProof(outlook: ExpectedOutlook): number | null {
	const growths = expectedGrowths(outlook)
	return growths.some((growth) => growth > 0) ? requestsUntilProof(noProofs, growths) : null
}

/** What one canary request is expected to add to each proof, with the baseline requests that come along with it. */
function expectedGrowths(outlook: ProofOutlook & { readonly canaryErrorShare?: number }): number[] {
	const { baselineErrorShare, canaryErrorShare = baselineErrorShare, canaryPerBaseline, absoluteLimitPpm } = outlook
	if (canaryPerBaseline === Infinity) {
		const bets = absoluteProofBets(absoluteLimitPpm / 1_000_000)
		return bets.map((bet) => payoff(bet, oneRequest(canaryErrorShare, 0)))
	}
	const ratio = Math.max(canaryPerBaseline, smallestRatio)
	return proofBets(ratio, 1).map((bet) => payoff(bet, oneRequest(canaryErrorShare, baselineErrorShare / ratio)))
}

function oneRequest(canaryErrors: number, baselineErrors: number): Arms {
	return { canary: { requests: 1, errors: canaryErrors }, baseline: { requests: 0, errors: baselineErrors } }
}
