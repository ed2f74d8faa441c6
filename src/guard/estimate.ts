import { absoluteProofBets } from './absolute-test.ts'
import { type Bet, fromStored } from './bet.ts'
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
}

/** About how many canary requests a step needs for its proof if the canary is as good as the baseline. */
export function estimateProofRequests(outlook: ProofOutlook): number {
	return estimateMissingRequests(noProofs, outlook)
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

/** What one canary request is expected to add to each proof, with the baseline requests that come along with it. */
function expectedGrowths({ baselineErrorShare, canaryPerBaseline, absoluteLimitPpm }: ProofOutlook): number[] {
	if (canaryPerBaseline === Infinity) {
		return absoluteProofBets(absoluteLimitPpm / 1_000_000).map((bet) => expectedGrowth(bet, baselineErrorShare, 0))
	}
	const ratio = Math.max(canaryPerBaseline, smallestRatio)
	return proofBets(ratio, 1).map((bet) => expectedGrowth(bet, baselineErrorShare, 1 / ratio))
}

function expectedGrowth(bet: Bet, errorShare: number, baselinePerCanary: number): number {
	if (errorShare === 0) return bet.perCanaryRequest
	const onErrors = bet.onCanaryError + baselinePerCanary * bet.onBaselineError
	return errorShare * onErrors + bet.perCanaryRequest
}
