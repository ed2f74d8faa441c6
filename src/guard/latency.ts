import { type RequestTimes, slowerThan } from '#base/request-times.ts'
import type { Arms } from './arms.ts'
import type { GuardParameters } from './look.ts'
import { defaultPhi } from './over-dispersion.ts'
import type { ArmTotals } from './strata.ts'

// Slow requests, judged as failed ones are: the share of those that took longer than an edge, at the canary against the
// baseline. An edge is one that Envoy counts at, since nothing finer is known. Where a policy names none, two follow from
// the baseline: the ones that its slowest 5 % and 1 % are beyond.

/** The baseline's answers that its edges are taken from. */
export const timesForEdges = 400
const slowShares = [0.05, 0.01] as const

/** The smallest edges that at most so many are beyond; one where both are the same. None of no times. */
export function chooseEdges(baseline: RequestTimes): number[] {
	if (baseline.samples === 0) return []
	const chosen = slowShares.map((share) =>
		baseline.edgesMs.find((edge) => (slowerThan(baseline, edge) ?? 0) <= share * baseline.samples),
	)
	// Slower than all that is counted: the last edge is the nearest there is.
	const known = chosen.map((edge) => edge ?? baseline.edgesMs.at(-1) ?? Number.NaN).filter(Number.isFinite)
	return [...new Set(known)]
}

/**
 * What a proxy's request times say at an edge; null when they are incomplete, and so would be what follows from them: with
 * a flush that was lost its times are, while counters make up for it.
 */
export function slowRequests({ baseline, canary }: SlowArms, edgeMs: number): Arms | null {
	const canarySlow = slowerThan(canary.times, edgeMs)
	const baselineSlow = slowerThan(baseline.times, edgeMs)
	if (canarySlow === null || baselineSlow === null || !isComplete(canary) || !isComplete(baseline)) return null
	return {
		canary: { requests: canary.times.samples, errors: canarySlow },
		baseline: { requests: baseline.times.samples, errors: baselineSlow },
	}
}

/**
 * φ is measured on errors, and slow requests come in longer bursts than those: a pause of a collector, a cold cache. Less
 * than the default is not believed of them.
 */
export function latencyPhi(phi: GuardParameters['phi']): GuardParameters['phi'] {
	return phi.value >= defaultPhi.value ? phi : defaultPhi
}

export type SlowArms = { readonly canary: ArmTotals; readonly baseline: ArmTotals }

/**
 * What failed may have no time: a timeout has none. Envoy merges histograms a moment before it reads the counters, so
 * that under load the last few requests of a flush are counted in one and not in the other.
 */
const completeShare = 0.9

function isComplete({ completed, errors, times }: ArmTotals): boolean {
	return times.samples >= completeShare * Math.max(0, completed - errors)
}
