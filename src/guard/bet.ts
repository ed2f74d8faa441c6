import type { Arms } from './arms.ts'

// The one form that all tests of the guard have. A test watches several hypotheses at once, one bet on each; what a bet
// wins on the counts of a look is linear in them once the numbers of requests are known:
//   L = canary errors · onCanaryError + baseline errors · onBaselineError + canary requests · perCanaryRequest
// A bet is fair when E[exp L] ≤ 1 under what the test wants to refute: evidence can then not be had for nothing.

/** Natural logarithms. `onCanaryError` may be -Infinity: one error ends that bet. */
export type Bet = {
	readonly onCanaryError: number
	readonly onBaselineError: number
	readonly perCanaryRequest: number
}

/** ln of what the bet wins on these counts. Never NaN; -Infinity only by `onCanaryError`. */
export function payoff(bet: Bet, { canary, baseline }: Arms): number {
	const onCanary = canary.errors === 0 ? 0 : canary.errors * bet.onCanaryError
	return onCanary + baseline.errors * bet.onBaselineError + canary.requests * bet.perCanaryRequest
}

/** ln(exp a + exp b), without leaving the range of a number. */
export function logAddExp(a: number, b: number): number {
	const larger = Math.max(a, b)
	if (larger === -Infinity) return -Infinity
	return larger + Math.log1p(Math.exp(Math.min(a, b) - larger))
}

/** ln of the mean of exp; -Infinity of an empty list. */
export function logMeanExp(logs: readonly number[]): number {
	const largest = Math.max(...logs)
	if (largest === -Infinity) return -Infinity
	const sum = logs.reduce((total, log) => total + Math.exp(log - largest), 0)
	return largest + Math.log(sum / logs.length)
}

/** JSON knows no -Infinity: it is written as null. */
export function toStored(log: number): number | null {
	return log === -Infinity ? null : log
}

export function fromStored(log: number | null): number {
	return log ?? -Infinity
}
