import { type Bet, fromStored, logMeanExp } from './bet.ts'

// May the next step be taken? The error test shows that a canary is bad; this one shows that it is not: it refutes
// "errors of at least r* × the baseline's, plus τ*". Without it a rollout with no traffic would look as good as any.

/** r*, τ* and β: how much worse is ruled out, and the chance to rule it out wrongly. */
const worseRatio = 2
const worseShare = 0.005
const wrongProof = 0.05

/** How good the canary is taken to be, as a share of "just too bad": one bet on each. The first ends with one error. */
export const goodness = [0, 0.1, 0.25, 0.5, 0.75] as const

export const noProofs: readonly number[] = goodness.map(() => 0)

/**
 * The bets for one stratum, by goodness. Fair by the same argument as `errorBets`: with B = 1 + r*(1−A) n_c/n_b the
 * baseline's errors cancel. Without baseline traffic they are taken to be none, which only asks more of the canary.
 */
export function proofBets(canaryRequests: number, baselineRequests: number): Bet[] {
	return goodness.map((share) => ({
		onCanaryError: Math.log(share),
		onBaselineError:
			baselineRequests === 0 ? 0 : Math.log1p((worseRatio * (1 - share) * canaryRequests) / baselineRequests),
		perCanaryRequest: worseShare * (1 - share),
	}))
}

/** Evidence beyond this proves nothing more; it keeps sums in range. */
const maxLogProof = 100

/** The proofs after one more look. */
export function addProofs(proofs: readonly number[], logFactors: readonly (number | null)[]): number[] {
	return proofs.map((proof, index) => Math.min(proof + fromStored(logFactors[index] ?? null), maxLogProof))
}

export function isProven(proofs: readonly number[]): boolean {
	return logMeanExp(proofs) >= -Math.log(wrongProof)
}

/**
 * The canary requests still missing when each brings `growths`, by goodness, to the proofs: the smallest n with
 * mean exp(proof + n · growth) ≥ 1/β. The mean is convex in n and below 1/β at 0, so it crosses once. At least one
 * growth must be above 0 where the proof is alive.
 */
export function requestsUntilProof(proofs: readonly number[], growths: readonly number[]): number {
	if (isProven(proofs)) return 0
	const isEnough = (requests: number) =>
		isProven(proofs.map((proof, index) => (proof === -Infinity ? proof : proof + requests * (growths[index] ?? 0))))
	let enough = 1
	while (!isEnough(enough) && enough < Number.MAX_SAFE_INTEGER) enough *= 2
	let tooFew = Math.floor(enough / 2)
	while (enough - tooFew > 1) {
		const middle = tooFew + Math.floor((enough - tooFew) / 2)
		if (isEnough(middle)) enough = middle
		else tooFew = middle
	}
	return Math.min(enough, Number.MAX_SAFE_INTEGER)
}
