import { noRequestTimes, type RequestTimes } from '#base/request-times.ts'
import { absoluteErrorBets, absoluteProofBets } from './absolute-test.ts'
import { type Arms, addArms, noArms } from './arms.ts'
import { type Bet, payoff, toStored } from './bet.ts'
import { effectSizes, errorBets, largestLogFactor, overDispersion } from './error-test.ts'
import { latencyPhi, slowRequests } from './latency.ts'
import {
	type EndpointTotals,
	findWorstEndpoint,
	type LateFailures,
	noLateFailures,
	scaleCounts,
	shareWithout,
} from './leave-one-out.ts'
import type {
	AbsoluteLook,
	CanaryKey,
	CanaryLook,
	Counts,
	GuardParameters,
	LatencyLook,
	MetricLook,
	ShareLook,
	WithoutWorstLook,
} from './look.ts'
import { goodness, proofBets } from './non-inferiority.ts'
import { shareFactors } from './share-test.ts'

// What a look says of one canary, from what each proxy counted. Proxies are compared only within their stratum: same
// zone, same shares. Over different shares a sum would blame the canary for the zone it was sent to (Simpson's paradox);
// proxy by proxy, thin traffic would show nothing.

/** What one proxy counted of one arm in a look. */
export type ArmTotals = {
	readonly completed: number
	readonly errors: number
	readonly retries: number
	readonly times: RequestTimes
}

/** One proxy that held the same shares for a whole look; of several lanes each is one by itself. */
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

/** `targets`: each proxy sends to both arms · `proxies`: each is one of the arms, so that none is compared with itself. */
export type Comparison = 'targets' | 'proxies'

export type LookAsked = {
	readonly between: Comparison
	readonly parameters: GuardParameters
	readonly edgesMs: readonly number[]
	/** The share of each canary against the baseline that the proxies are to send, where that can be judged. */
	readonly expectedShares: Readonly<Record<CanaryKey, number>>
	/** What each canary's endpoints counted themselves. */
	readonly endpoints: ReadonlyMap<CanaryKey, EndpointTotals>
	readonly lateFailures: ReadonlyMap<CanaryKey, LateFailures>
}

/** `proxies` in a fixed order, so that the same counts give the same sums to the last bit. */
export function lookAtCanary(canary: CanaryKey, proxies: readonly ProxyTotals[], asked: LookAsked): CanaryLook {
	const { between, parameters, edgesMs, expectedShares } = asked
	const compared = between === 'targets' ? proxies : withoutLonelyBaseline(canary, proxies)
	const final = partsOf('final', canary, compared)
	const attempts = partsOf('attempts', canary, compared)
	const alone = between === 'proxies' ? absoluteErrorBets(parameters.absoluteLimitPpm / 1_000_000) : []
	return {
		final: lookAtMetric(final, parameters, alone),
		attempts: lookAtMetric(attempts, parameters),
		absolute: lookAtLimit(final, parameters),
		latency: edgesMs.map((edgeMs) => lookAtLatency(edgeMs, { canary, proxies: compared, parameters })),
		share: lookAtShare(canary, proxies, expectedShares[canary]),
		withoutWorst: lookWithoutWorst({ final, attempts }, canary, asked),
	}
}

/** Proxies that are no candidates say nothing where there is no candidate that they could be compared with. */
function withoutLonelyBaseline(canary: CanaryKey, proxies: readonly ProxyTotals[]): readonly ProxyTotals[] {
	const placeOf = ({ zone, shares }: ProxyTotals) => JSON.stringify([zone, shares])
	const isCandidate = ({ canaries }: ProxyTotals) => (canaries.get(canary)?.completed ?? 0) > 0
	const places = new Set(proxies.filter(isCandidate).map(placeOf))
	return proxies.filter((proxy) => places.has(placeOf(proxy)))
}

type CanaryParts = { readonly final: readonly Part[]; readonly attempts: readonly Part[] }

/** The worst endpoint's part is taken out of what every proxy counted of the canary: which of them it served is not known. */
function lookWithoutWorst(
	{ final, attempts }: CanaryParts,
	canary: CanaryKey,
	{ endpoints, lateFailures, parameters }: LookAsked,
): WithoutWorstLook | null {
	const sent = totalOf(attempts).canary.requests
	const worst = findWorstEndpoint(endpoints.get(canary) ?? new Map(), sent, lateFailures.get(canary) ?? noLateFailures)
	if (worst === null) return null
	const without = (parts: readonly Part[]) => {
		const left = shareWithout(worst, totalOf(parts).canary)
		return parts.map((part) => ({ ...part, canary: scaleCounts(part.canary, left) }))
	}
	return {
		worst,
		final: lookAtMetric(without(final), parameters).logFactors,
		attempts: lookAtMetric(without(attempts), parameters).logFactors,
		absolute: lookAtLimit(without(final), parameters).logFactors,
	}
}

function totalOf(parts: readonly Part[]): Arms {
	return parts.reduce<Arms>(addArms, noArms)
}

/** Of what found a cluster: whatever became of it. */
function lookAtShare(key: CanaryKey, proxies: readonly ProxyTotals[], expected = 0): ShareLook | null {
	if (expected <= 0 || expected >= 1) return null
	const canary = sum(proxies.map(({ canaries }) => canaries.get(key)?.completed ?? 0))
	const baseline = sum(proxies.map((proxy) => proxy.baseline.completed))
	return { expected, canary, baseline, logFactors: shareFactors({ canary, baseline }, expected) }
}

type Part = Arms & { readonly stratum: string }

function partsOf(metric: 'final' | 'attempts', key: CanaryKey, proxies: readonly ProxyTotals[]): Part[] {
	return proxies.map((proxy) => {
		const canary = metricCounts(metric, proxy.canaries.get(key) ?? noTotals, proxy.unrouted)
		return partOf(proxy, { canary, baseline: metricCounts(metric, proxy.baseline, 0) })
	})
}

function partOf({ proxy, zone, shares }: ProxyTotals, arms: Arms): Part {
	const isOwn = arms.canary.requests >= ownStratumRequests && arms.baseline.requests >= ownStratumRequests
	return { ...arms, stratum: isOwn ? JSON.stringify([proxy]) : JSON.stringify([zone, shares]) }
}

export const noTotals: ArmTotals = { completed: 0, errors: 0, retries: 0, times: noRequestTimes }

type LatencyAsked = {
	readonly canary: CanaryKey
	readonly proxies: readonly ProxyTotals[]
	readonly parameters: GuardParameters
}

/** The same test with other counts; a proxy whose request times are incomplete is left out. */
function lookAtLatency(edgeMs: number, { canary, proxies, parameters }: LatencyAsked): LatencyLook {
	const parts = proxies.flatMap((proxy) => {
		const slow = slowRequests({ canary: proxy.canaries.get(canary) ?? noTotals, baseline: proxy.baseline }, edgeMs)
		return slow === null ? [] : [partOf(proxy, slow)]
	})
	const tolerances = parameters.latency ?? parameters
	return {
		...lookAtMetric(parts, {
			...parameters,
			phi: latencyPhi(parameters.phi),
			toleranceRatio: tolerances.toleranceRatio,
			tolerancePpm: tolerances.tolerancePpm,
		}),
		edgeMs,
		incomplete: proxies.length - parts.length,
	}
}

/** Requests that found no route are failed ones. Errors beyond the requests wait for the next look. */
function metricCounts(
	metric: 'final' | 'attempts',
	{ completed, errors, retries }: ArmTotals,
	unrouted: number,
): Counts {
	const failedBefore = (metric === 'attempts' ? retries : 0) + unrouted
	const requests = completed + failedBefore
	return { requests, errors: Math.min(errors + failedBefore, requests) }
}

/** @param alone bets on a stratum that has no baseline: of proxies that nobody is there to be compared with */
function lookAtMetric(parts: readonly Part[], parameters: GuardParameters, alone: readonly Bet[] = []): MetricLook {
	const strata = new Map<string, Arms>()
	for (const part of parts) strata.set(part.stratum, addArms(strata.get(part.stratum) ?? noArms, part))
	const tolerance = { ratio: parameters.toleranceRatio, tolerance: parameters.tolerancePpm / 1_000_000 }
	const bets = betsByStratum(strata, (canary, baseline) =>
		baseline === 0 && alone.length > 0 ? alone : errorBets(canary, baseline, tolerance),
	)
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
	const total = totalOf(parts)
	return {
		logFactors: sumCapped(parts, effectSizes.length, () => bets, parameters),
		proofs: absoluteProofBets(limit).map((bet) => toStored(payoff(bet, total))),
	}
}

type PlaceBets = (canaryRequests: number, baselineRequests: number) => readonly Bet[]

function betsByStratum(strata: ReadonlyMap<string, Arms>, place: PlaceBets): Map<string, readonly Bet[]> {
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
	const sums = Array.from({ length: bets }, () => 0)
	for (const part of parts) {
		const placed = betsOf(part)
		for (let index = 0; index < bets; index += 1)
			sums[index] = (sums[index] ?? 0) + Math.min(payoffAt(placed, index, part), cap)
	}
	return sums
}

function payoffAt(bets: readonly Bet[], index: number, arms: Arms): number {
	const bet = bets[index]
	return bet === undefined ? 0 : payoff(bet, arms)
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0)
}
