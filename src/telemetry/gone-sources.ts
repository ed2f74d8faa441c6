import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'

/** What is remembered of one proxy. */
export type Remembered = {
	readonly proxy: string
	/** How many counters that is, in clusters and listeners. */
	size(): number
}

/**
 * Proxies whose streams have ended and that may come back: what they counted goes on where it was. They are forgotten
 * like those that xDS expects back, and the oldest at once where all together would be too many.
 */
export type GoneSources<Source extends Remembered> = {
	keep(source: Source): void
	/** Takes it out. */
	take(proxyKey: string): Source | undefined
	has(proxyKey: string): boolean
}

export function createGoneSources<Source extends Remembered>(clock: Clock): GoneSources<Source> {
	/** Oldest first. */
	const gone = new Map<string, { readonly source: Source; readonly sinceMs: number; readonly size: number }>()
	let counters = 0

	function remove(proxyKey: string): Source | undefined {
		const found = gone.get(proxyKey)
		if (found === undefined) return undefined
		gone.delete(proxyKey)
		counters -= found.size
		return found.source
	}

	function forgetOldest(): void {
		const nowMs = clock.monotonicMs()
		for (const [proxyKey, { sinceMs }] of gone) {
			const areTooMany = gone.size > limits.xdsProxiesRemembered || counters > limits.goneCounters
			if (!areTooMany && nowMs - sinceMs <= limits.xdsGoneMs) return
			remove(proxyKey)
		}
	}

	return {
		keep(source) {
			remove(source.proxy)
			const size = source.size()
			gone.set(source.proxy, { source, sinceMs: clock.monotonicMs(), size })
			counters += size
			forgetOldest()
		},
		take(proxyKey) {
			forgetOldest()
			return remove(proxyKey)
		},
		has: (proxyKey) => gone.has(proxyKey),
	}
}
