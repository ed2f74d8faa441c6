import { unreachable } from '#base/assert.ts'
import { noEvidence } from './error-test.ts'
import type { CanaryLook, GuardParameters, LatencyLook } from './look.ts'
import { noProofs } from './non-inferiority.ts'
import type { Yardstick } from './yardstick.ts'

/** What one look adds to a measure. */
export type Factors = {
	readonly logFactors: readonly number[]
	/** Those without the look's worst endpoint; null where endpoints are not told apart. */
	readonly without: readonly number[] | null
	readonly proofs: readonly (number | null)[]
}

const noFactors: Factors = { logFactors: noEvidence.map(() => 0), without: null, proofs: noProofs }

export type FactorsOfLook = {
	readonly final: Factors
	readonly attempts: Factors
	/** At an edge, where the look says something there. */
	slow(at: LatencyLook | null): Factors
}

/** What a look says of a canary, by the yardstick that it is held against. */
export function factorsOfLook(
	seen: CanaryLook | undefined,
	yardstick: Yardstick,
	parameters: Pick<GuardParameters, 'absoluteLimitPpm'>,
): FactorsOfLook {
	if (seen === undefined) return { final: noFactors, attempts: noFactors, slow: () => noFactors }
	const { final, attempts, absolute, withoutWorst } = seen
	const againstLimit: Factors = { ...absolute, without: withoutWorst?.absolute ?? null }
	const slow = (at: LatencyLook | null): Factors => (at === null ? noFactors : { ...at, without: null })
	switch (yardstick) {
		case 'baseline':
			return {
				final: { ...final, without: withoutWorst?.final ?? null },
				attempts: { ...attempts, without: withoutWorst?.attempts ?? null },
				slow,
			}
		case 'limit':
			return { final: againstLimit, attempts: noFactors, slow: () => noFactors }
		case 'users':
			return {
				final: isBaselineWell(seen, parameters) ? againstLimit : noFactors,
				attempts: { ...noFactors, proofs: attempts.proofs },
				slow: (at) => ({ ...noFactors, proofs: slow(at).proofs }),
			}
		default:
			return unreachable(yardstick)
	}
}

/**
 * A look in which the baseline is over the limit too says nothing of the version: what both need fails. What the baseline
 * did is known apart from what the canary did, so leaving the look out keeps the bets fair.
 */
function isBaselineWell(
	{ final: { baseline } }: CanaryLook,
	{ absoluteLimitPpm }: Pick<GuardParameters, 'absoluteLimitPpm'>,
): boolean {
	return baseline.errors * 1_000_000 <= baseline.requests * absoluteLimitPpm
}
