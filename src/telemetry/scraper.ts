import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { type Counters, createCounters } from './counters.ts'
import type { Flush } from './flush.ts'
import { readAdminStats } from './read-admin-stats.ts'
import type { ScrapeTarget } from './scrape-targets.ts'

// For Envoys that push no counters: theirs are fetched from their admin interfaces, once a flush interval, and go the way
// of those that are pushed. A proxy that has pushed once is never asked again: what it pushes says all, and to change
// from one to the other and back would count requests twice.

export type Scraper = {
	/** These and no others. One that was asked before goes on. */
	follow(targets: readonly ScrapeTarget[]): void
	close(): void
}

export type ScraperOptions = {
	/** The listing of `/stats`. Rejects when there is none. */
	readonly fetchStats: (admin: string, signal: AbortSignal) => Promise<string>
	/** Whether counters of a proxy have come by its own push. */
	readonly hasPushed: (proxyKey: string) => boolean
	readonly emit: (flush: Flush) => void
	readonly clock: Clock
	readonly random: Random
	readonly log: Log
}

type Entry = {
	readonly target: ScrapeTarget
	readonly counters: Counters
	timer: Timer | null
	abort: AbortController | null
	/** What was told of it last. */
	told: 'nothing' | 'answers' | 'fails'
	state: 'followed' | 'dropped'
}

export function createScraper(options: ScraperOptions): Scraper {
	const { fetchStats, hasPushed, emit, clock, random, log } = options
	const entries = new Map<string, Entry>()

	/** Each at its own moment of the interval. An answer that is late is one that is missing. */
	function wait(entry: Entry, delayMs: number): void {
		entry.timer = clock.setTimer(delayMs, () => {
			wait(entry, limits.flushIntervalMs)
			if (entry.abort === null && !hasPushed(entry.target.proxy)) void scrape(entry)
		})
	}

	async function scrape(entry: Entry): Promise<void> {
		const abort = new AbortController()
		entry.abort = abort
		const deadline = clock.setTimer(limits.scrapeDeadlineMs, () => abort.abort())
		const text = await fetchStats(entry.target.admin, abort.signal).catch(() => null)
		deadline.cancel()
		entry.abort = null
		if (entry.state === 'dropped' || hasPushed(entry.target.proxy)) return
		const listing = text === null ? null : readAdminStats(text)
		tell(entry, listing === null ? 'fails' : 'answers')
		if (listing === null) return
		entry.counters.take(listing)
		emit({ proxy: entry.target.proxy, arrivedMs: clock.monotonicMs(), ...entry.counters.close() })
	}

	/** Told when it begins to fail, and when that is over. */
	function tell(entry: Entry, now: 'answers' | 'fails'): void {
		const { proxy, admin } = entry.target
		if (now === 'fails' && entry.told !== 'fails') log.warn('telemetry.scrape.failing', { proxy, admin })
		if (now === 'answers' && entry.told === 'fails') log.info('telemetry.scrape.recovered', { proxy, admin })
		entry.told = now
	}

	function drop(entry: Entry): void {
		entry.state = 'dropped'
		entry.timer?.cancel()
		entry.abort?.abort()
	}

	return {
		follow(targets) {
			const named = new Map(targets.map((target) => [`${target.proxy} ${target.admin}`, target]))
			for (const [key, entry] of entries) {
				if (named.has(key)) continue
				drop(entry)
				entries.delete(key)
			}
			for (const [key, target] of named) {
				if (entries.has(key)) continue
				const counters = createCounters()
				const entry: Entry = { target, counters, timer: null, abort: null, told: 'nothing', state: 'followed' }
				entries.set(key, entry)
				wait(entry, limits.flushIntervalMs * random())
			}
		},
		close() {
			for (const entry of entries.values()) drop(entry)
			entries.clear()
		},
	}
}
