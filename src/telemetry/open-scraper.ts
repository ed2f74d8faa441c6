import { readFile, stat } from 'node:fs/promises'
import { readBounded } from '#base/call-http.ts'
import type { Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { adminStatsFilter } from './read-admin-stats.ts'
import { parseScrapeTargets } from './scrape-targets.ts'
import { createScraper, type ScraperOptions } from './scraper.ts'

// Whom to ask for counters is in a file that is read again when it changes. A file that cannot be read, or has a mistake,
// changes nothing.

export type OpenScraperOptions = Omit<ScraperOptions, 'fetchStats'> & { readonly file: string }

export function openScraper({ file, ...options }: OpenScraperOptions): { close(): void } {
	const { clock, log } = options
	const scraper = createScraper({ ...options, fetchStats })
	let known = ''
	let timer: Timer | null = null
	let isOpen = true

	async function look(): Promise<void> {
		const read = await readTargets(file)
		if (!isOpen) return
		if (read !== known) {
			known = read
			const targets = read.startsWith('!') ? null : parseScrapeTargets(read.slice(1))
			if (targets === null) log.warn('telemetry.scrape.file', { file, message: read.slice(1) })
			else if (targets.ok) scraper.follow(targets.value)
			else log.warn('telemetry.scrape.file', { file, message: targets.error.slice(0, limits.namedProxies).join('; ') })
		}
		timer = clock.setTimer(limits.scrapeFileMs, () => void look())
	}

	void look()
	return {
		close() {
			isOpen = false
			timer?.cancel()
			scraper.close()
		},
	}
}

/** The text behind a `=`, or behind a `!` why there is none. */
async function readTargets(file: string): Promise<string> {
	try {
		if ((await stat(file)).size > limits.scrapeFileBytes) return `!it is larger than ${limits.scrapeFileBytes} bytes`
		return `=${await readFile(file, 'utf8')}`
	} catch (error) {
		return `!it cannot be read (${error instanceof Error && 'code' in error ? error.code : 'unknown failure'})`
	}
}

async function fetchStats(admin: string, signal: AbortSignal): Promise<string> {
	const url = new URL('/stats', `http://${admin}`)
	url.searchParams.set('filter', adminStatsFilter)
	const response = await fetch(url, { redirect: 'error', signal })
	const text = await readBounded(response, limits.scrapeBytes)
	if (!response.ok || text === null) throw new Error('no statistics')
	return text
}
