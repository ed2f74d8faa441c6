import type { Random } from '#base/random.ts'
import { gammaFactor, waitingSeconds } from './draw.ts'
import type { ErrorShares, Failures } from './traffic.ts'

// How versions fail: the models that the tables of the guard's measurements were made with.

/** Always the same. */
export function steady(shares: ErrorShares): Failures {
	return () => () => shares
}

/** The canary's endpoints, all alike, tell what they do themselves. */
export function toldApart({ canary, baseline }: ErrorShares, endpoints: number): Failures {
	return steady({ canary, baseline, canaryEndpoints: Array.from({ length: endpoints }, () => canary) })
}

/** A healthy canary. */
export function healthy(share: number): Failures {
	return steady({ canary: share, baseline: share })
}

const noiseSeconds = 5

/**
 * A healthy canary whose share of errors goes up and down every 5 s by a gamma factor: one of each arm's own, or one
 * that is common to both.
 */
export function noisy(share: number, { variation, of }: { variation: number; of: 'each' | 'both' }): Failures {
	return (random) => {
		let block = -1
		let now: ErrorShares = { canary: share, baseline: share }
		return ({ second }) => {
			const next = Math.floor(second / noiseSeconds)
			if (next === block) return now
			block = next
			const canary = clipShare(share * gammaFactor(random, variation))
			now = { canary, baseline: of === 'both' ? canary : clipShare(share * gammaFactor(random, variation)) }
			return now
		}
	}
}

function clipShare(share: number): number {
	return Math.min(share, 1)
}

/** A healthy canary, and an incident that strikes both arms alike: `more` added to the share of errors for a minute. */
export function sharedIncident(
	share: number,
	{ more, withinSeconds }: { more: number; withinSeconds: number },
): Failures {
	return (random) => {
		const begin = random() * (withinSeconds - incidentSeconds)
		return ({ second }) => {
			const now = second >= begin && second < begin + incidentSeconds ? share + more : share
			return { canary: now, baseline: now }
		}
	}
}

const incidentSeconds = 60

export type Bursts = {
	readonly canaryEndpoints: number
	readonly baselineEndpoints: number
	readonly seconds: number
	/** Whether the canary's endpoints tell what they do themselves, so that one can be left out. */
	readonly toldApart?: boolean
}

/** A healthy canary, each of whose endpoints, like each of the baseline's, fails half of its requests once an hour. */
export function endpointBursts(share: number, bursts: Bursts): Failures {
	const { canaryEndpoints, baselineEndpoints, seconds, toldApart = false } = bursts
	return (random) => {
		const canary = Array.from({ length: canaryEndpoints }, () => startBursts(random, seconds))
		const baseline = Array.from({ length: baselineEndpoints }, () => startBursts(random, seconds))
		const shareOf = (endpoints: typeof canary, second: number) => {
			const failing = endpoints.filter((isFailing) => isFailing(second)).length
			return share + (failing / endpoints.length) * (burstShare - share)
		}
		return ({ second }) => ({
			canary: shareOf(canary, second),
			baseline: shareOf(baseline, second),
			...(toldApart ? { canaryEndpoints: canary.map((isFailing) => (isFailing(second) ? burstShare : share)) } : {}),
		})
	}
}

const burstShare = 0.5

function startBursts(random: Random, seconds: number): (second: number) => boolean {
	// One may be under way when the rollout begins.
	let begin = waitingSeconds(random, 1) - seconds
	return (second) => {
		while (second >= begin + seconds) begin += seconds + waitingSeconds(random, 1)
		return second >= begin
	}
}

/** Well until `fromSecond`, then `times` as bad as the baseline. */
export function lateFailure(share: number, { fromSecond, times }: { fromSecond: number; times: number }): Failures {
	return () =>
		({ second }) => ({ canary: second >= fromSecond ? share * times : share, baseline: share })
}

/** Well while it has little traffic, failing under load. */
export function failsUnderLoad(share: number, { fromShare, canary }: { fromShare: number; canary: number }): Failures {
	return () =>
		({ canaryShare }) => ({ canary: canaryShare >= fromShare ? canary : share, baseline: share })
}
