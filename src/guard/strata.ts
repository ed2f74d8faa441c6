import { absoluteErrorBets, absoluteProofBets } from './absolute-test.ts'
import { type Arms, addArms, noArms } from './arms.ts'
import { type Bet, payoff, toStored } from './bet.ts'
import { effectSizes, errorBets, largestLogFactor, overDispersion } from './error-test.ts'
import type { AbsoluteLook, CanaryKey, CanaryLook, Counts, GuardParameters, Metric, MetricLook } from './look.ts'
import { goodness, proofBets } from './non-inferiority.ts'

// What a look says of one canary, from what each proxy counted. Proxies are compared only within their stratum: same
// zone, same shares. Over different shares a sum would blame the canary for the zone it was sent to (Simpson's paradox);
// proxy by proxy, thin traffic would show nothing.

/** What one proxy counted of one arm in a look. */
export type ArmTotals = { readonly completed: number; readonly errors: number; readonly retries: number }

/** One proxy that held the same shares for a whole look. */
export type ProxyTotals = {
	readonly proxy: string
	readonly zone: string
	readonly shares: string
	readonly canaries: ReadonlyMap<CanaryKey, ArmTotals>
	readonly baseline: ArmTotals
	readonly unrouted: number
}

/** With this much in both arms a proxy is a stratum by itself. */
const ownStratumRequests = 50
/** With this many proxies no single one may give more than half of what a look can give. */
const proxiesForCap = 3

/** `proxies` in a fixed order, so that the same counts give the same sums to the last bit. */
export function lookAtCanary(
	canary: CanaryKey,
	proxies: readonly ProxyTotals[],
	parameters: GuardParameters,
): CanaryLook {
	const final = partsOf('final', canary, proxies)
	return {
		final: lookAtMetric(final, parameters),
		attempts: lookAtMetric(partsOf('attempts', canary, proxies), parameters),
		absolute: lookAtLimit(final, parameters),
	}
}

type Part = Arms & { readonly stratum: string }

function partsOf(metric: Metric, key: CanaryKey, proxies: readonly ProxyTotals[]): Part[] {
	return proxies.map(({ proxy, zone, shares, canaries, baseline, unrouted }) => {
		const canaryCounts = metricCounts(metric, canaries.get(key) ?? noTotals, unrouted)
		const baselineCounts = metricCounts(metric, baseline, 0)
		const isOwn = canaryCounts.requests >= ownStratumRequests && baselineCounts.requests >= ownStratumRequests
		const stratum = isOwn ? JSON.stringify([proxy]) : JSON.stringify([zone, shares])
		return { canary: canaryCounts, baseline: baselineCounts, stratum }
	})
}

const noTotals: ArmTotals = { completed: 0, errors: 0, retries: 0 }

/** Requests that found no route are failed ones. Errors beyond the requests wait for the next look. */
function metricCounts(metric: Metric, { completed, errors, retries }: ArmTotals, unrouted: number): Counts {
	const failedBefore = (metric === 'attempts' ? retries : 0) + unrouted
	const requests = completed + failedBefore
	return { requests, errors: Math.min(errors + failedBefore, requests) }
}

function lookAtMetric(parts: readonly Part[], parameters: GuardParameters): MetricLook {
	const strata = new Map<string, Arms>()
	for (const part of parts) strata.set(part.stratum, addArms(strata.get(part.stratum) ?? noArms, part))
	const tolerance = { ratio: parameters.toleranceRatio, tolerance: parameters.tolerancePpm / 1_000_000 }
	const bets = betsByStratum(strata, (canary, baseline) => errorBets(canary, baseline, tolerance))
	const proofs = betsByStratum(strata, proofBets)
	const total = [...strata.values()].reduce(addArms, noArms)
	return {
		canary: total.canary,
		baseline: total.baseline,
		logFactors: sumCapped(parts, effectSizes.length, (part) => bets.get(part.stratum) ?? [], parameters),
		proofs: goodness.map((_, index) =>
			toStored(sum([...strata].map(([stratum, arms]) => payoffAt(proofs.get(stratum) ?? [], index, arms)))),
		),
	}
}

function lookAtLimit(parts: readonly Part[], parameters: GuardParameters): AbsoluteLook {
	const limit = parameters.absoluteLimitPpm / 1_000_000
	const bets = absoluteErrorBets(limit)
	const total = parts.reduce<Arms>(addArms, noArms)
	return {
		logFactors: sumCapped(parts, effectSizes.length, () => bets, parameters),
		proofs: absoluteProofBets(limit).map((bet) => toStored(payoff(bet, total))),
	}
}

type PlaceBets = (canaryRequests: number, baselineRequests: number) => Bet[]

function betsByStratum(strata: ReadonlyMap<string, Arms>, place: PlaceBets): Map<string, Bet[]> {
	return new Map([...strata].map(([key, arms]) => [key, place(arms.canary.requests, arms.baseline.requests)]))
}

/**
 * Σ over proxies, each proxy's part at most half of what the clip lets a look give. A look's whole evidence then never
 * comes from one proxy's trouble, yet a fleet whose traffic runs through one gateway can still be judged, as it could
 * not if a part were held to what the others show. A cap only takes evidence away, so fair bets stay fair.
 */
function sumCapped(
	parts: readonly Part[],
	bets: number,
	betsOf: (part: Part) => readonly Bet[],
	{ alpha, phi }: GuardParameters,
): number[] {
	const senders = parts.filter((part) => part.canary.requests > 0).length
	const cap = senders >= proxiesForCap ? (largestLogFactor(alpha) * overDispersion(phi)) / 2 : Infinity
	return Array.from({ length: bets }, (_, index) =>
		sum(parts.map((part) => Math.min(payoffAt(betsOf(part), index, part), cap))),
	)
}

function payoffAt(bets: readonly Bet[], index: number, arms: Arms): number {
	const bet = bets[index]
	return bet === undefined ? 0 : payoff(bet, arms)
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0)
}
