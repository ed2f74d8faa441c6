import type { Random } from '#base/random.ts'
import { addCounts } from '#guard/arms.ts'
import type { Counts } from '#guard/look.ts'
import { poisson } from './draw.ts'

// Traffic as proxies count it, second by second: requests arrive independently of one another, a share of them goes to
// the canary, and each arm fails by chances that a failure model gives for the moment.

/** Where traffic runs through: a proxy. */
export type Place = {
	readonly proxy: string
	readonly zone: string
	/** Its part of all requests. */
	readonly part: number
	/** Whether the rollout's shares have come here; if not, all of it goes to the baseline. */
	readonly shares: 'inForce' | 'none'
}

export const onePlace: readonly Place[] = [{ proxy: 'proxy', zone: 'zone', part: 1, shares: 'inForce' }]

/** So many proxies of one zone that have the same part. */
export function equalPlaces(count: number): Place[] {
	return Array.from({ length: count }, (_, index) => ({
		proxy: `proxy-${String(index).padStart(4, '0')}`,
		zone: 'zone',
		part: 1 / count,
		shares: 'inForce' as const,
	}))
}

/** The share of requests that fail, by arm. */
export type ErrorShares = {
	readonly canary: number
	readonly baseline: number
	/** Of each of the canary's endpoints, where they tell what they do themselves: they have equal parts of its requests. */
	readonly canaryEndpoints?: readonly number[]
}

export type Moment = { readonly second: number; readonly canaryShare: number; readonly place: Place }

/** Begun anew for each rollout, with that rollout's chances. Moments are asked for in order of time. */
export type Failures = (random: Random) => (moment: Moment) => ErrorShares

export type Traffic = {
	readonly requestsPerSecond: number
	readonly places: readonly Place[]
	readonly failures: Failures
	/** How many seconds a flush covers. Envoys flush each second; more of them makes many proxies cheap to simulate. */
	readonly flushSeconds: number
}

/** What one place counted since its last flush. */
export type PlaceFlush = {
	readonly place: Place
	readonly canary: Counts
	readonly baseline: Counts
	/** What each endpoint of the canary says of itself; empty where none does. */
	readonly endpoints: readonly Counts[]
	/** What the canary's errors are over those that the baseline's share would have given. */
	readonly excessErrors: number
}

/** One rollout's traffic: the flushes of all places for the time that begins at `second`. */
export function startTraffic(traffic: Traffic, random: Random): (second: number, canaryShare: number) => PlaceFlush[] {
	const failures = traffic.failures(random)
	return (second, canaryShare) =>
		traffic.places.map((place) => {
			const requests = traffic.requestsPerSecond * place.part * traffic.flushSeconds
			const toCanary = place.shares === 'inForce' ? canaryShare : 0
			const shares = failures({ second, canaryShare, place })
			const { canaryEndpoints = [] } = shares
			const endpoints = canaryEndpoints.map((share) =>
				arm(random, (requests * toCanary) / canaryEndpoints.length, share),
			)
			const canary =
				endpoints.length > 0 ? endpoints.reduce(addCounts) : arm(random, requests * toCanary, shares.canary)
			const baseline = arm(random, requests * (1 - toCanary), shares.baseline)
			return { place, canary, baseline, endpoints, excessErrors: canary.errors - canary.requests * shares.baseline }
		})
}

/** Failures and successes of a Poisson stream are independent Poisson numbers. */
function arm(random: Random, expectedRequests: number, errorShare: number): Counts {
	const errors = poisson(random, expectedRequests * errorShare)
	return { requests: errors + poisson(random, expectedRequests * (1 - errorShare)), errors }
}
