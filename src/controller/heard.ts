import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Flush } from '#telemetry/flush.ts'

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
	readonly healthy: ReadonlyMap<string, number>
	/** Final answers over all clusters. */
	readonly requests: number
	readonly clusters: Flush['clusters']
}

export function createHeard(clock: Clock): Heard {
	const last = new Map<string, LastFlush>()
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
			const before = last.get(flush.proxy)
			const next = lastFlushOf(flush)
			last.set(flush.proxy, next)
			if (before === undefined || next.arrivedMs - before.arrivedMs > limits.silentAfterMs) return true
			if (before.healthy.size !== next.healthy.size) return true
			return [...next.healthy].some(([name, hosts]) => before.healthy.get(name) !== hosts)
		},
		arrived(proxyKey) {
			if (!arrivedMs.has(proxyKey)) arrivedMs.set(proxyKey, clock.monotonicMs())
		},
		forget(proxyKey) {
			arrivedMs.delete(proxyKey)
			return last.delete(proxyKey)
		},
		sweep() {
			// A last flush may come after its proxy has left: nobody would forget it then.
			for (const [key, flush] of last) if (clock.monotonicMs() - flush.arrivedMs > limits.xdsGoneMs) last.delete(key)
			const before = quiet
			quiet = [...last.keys()].filter(isSilent).length + [...arrivedMs.keys()].filter(isUnwatched).length
			return quiet !== before
		},
	}
}

function lastFlushOf({ arrivedMs, clusters }: Flush): LastFlush {
	return {
		arrivedMs,
		healthy: new Map([...clusters].map(([name, { healthyHosts }]) => [name, healthyHosts])),
		requests: [...clusters.values()].reduce((sum, { completed }) => sum + completed, 0),
		clusters,
	}
}
