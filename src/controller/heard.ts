import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'

/** What each proxy said last, and for how long it has said nothing. Volatile: after a restart nothing was said. */
export type Heard = {
	/** True when it says something else about hosts than before, or ends a silence. */
	take(flush: Flush): boolean
	/** It is connected, from now on unless it was. */
	arrived(proxyKey: string): void
	/** True when something was known of it. */
	forget(proxyKey: string): boolean
	/** The last flush. */
	lastOf(proxyKey: string): LastFlush | undefined
	/** Its flushes stopped, or none has come yet. */
	isSilent(proxyKey: string): boolean
	/** It has been connected for so long that it would be silent, and no flush of it ever came. */
	isUnwatched(proxyKey: string): boolean
	/** Forgets those that are gone for good. True when others are silent, or unwatched, than at the last sweep. */
	sweep(): boolean
}

export type LastFlush = {
	readonly arrivedMs: number
	/** Final answers over all clusters. */
	readonly requests: number
	/** Of the clusters that it had; of none where the proxy has been silent for a while. */
	readonly clusters: ReadonlyMap<string, Readonly<Gauges>>
}

type Gauges = Pick<ClusterFlush, 'healthyHosts' | 'open'>

export function createHeard(clock: Clock): Heard {
	const last = new Map<string, Kept>()
	const arrivedMs = new Map<string, number>()
	let quiet = 0

	const isLongAgo = (sinceMs: number) => clock.monotonicMs() - sinceMs > limits.silentAfterMs

	function isSilent(proxyKey: string): boolean {
		const flush = last.get(proxyKey)
		return flush === undefined || isLongAgo(flush.arrivedMs)
	}

	function isUnwatched(proxyKey: string): boolean {
		const sinceMs = arrivedMs.get(proxyKey)
		return sinceMs !== undefined && !last.has(proxyKey) && isLongAgo(sinceMs)
	}

	return {
		isSilent,
		isUnwatched,
		lastOf: (proxyKey) => last.get(proxyKey),
		take(flush) {
			const known = last.get(flush.proxy)
			const kept: Kept = known ?? { arrivedMs: flush.arrivedMs, requests: 0, clusters: new Map() }
			if (known === undefined) last.set(flush.proxy, kept)
			const isNews = known === undefined || flush.arrivedMs - kept.arrivedMs > limits.silentAfterMs
			kept.arrivedMs = flush.arrivedMs
			return keepGauges(kept, flush) || isNews
		},
		arrived(proxyKey) {
			if (!arrivedMs.has(proxyKey)) arrivedMs.set(proxyKey, clock.monotonicMs())
		},
		forget(proxyKey) {
			arrivedMs.delete(proxyKey)
			return last.delete(proxyKey)
		},
		sweep() {
			const before = quiet
			quiet = 0
			for (const [key, kept] of last) {
				if (!isLongAgo(kept.arrivedMs)) continue
				// A last flush may come after its proxy has left: nobody would forget it then.
				if (clock.monotonicMs() - kept.arrivedMs > limits.xdsGoneMs) last.delete(key)
				else quiet += 1
				kept.clusters.clear()
			}
			for (const key of arrivedMs.keys()) if (isUnwatched(key)) quiet += 1
			return quiet !== before
		},
	}
}

/** Changed in place: a fleet flushes so fast that new ones each time would be what the garbage collector lives on. */
type Kept = { arrivedMs: number; requests: number; readonly clusters: Map<string, Mutable<Gauges>> }
type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] }

/** True when it says something else about hosts than before. */
function keepGauges(kept: Kept, { clusters }: Flush): boolean {
	let isOther = false
	kept.requests = 0
	for (const [name, { completed, healthyHosts, open }] of clusters) {
		kept.requests += completed
		const gauges = kept.clusters.get(name)
		if (gauges?.healthyHosts !== healthyHosts) isOther = true
		if (gauges === undefined) kept.clusters.set(name, { healthyHosts, open })
		else {
			gauges.healthyHosts = healthyHosts
			gauges.open = open
		}
	}
	if (kept.clusters.size === clusters.size) return isOther
	for (const name of kept.clusters.keys()) if (!clusters.has(name)) kept.clusters.delete(name)
	return true
}
