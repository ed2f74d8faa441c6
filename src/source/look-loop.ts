import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'

/** One look at a source. Answers when to look again by itself, in ms; null leaves it to whoever calls `poll`. */
export type Look = () => Promise<number | null>

export type LookLoop = {
	start(): void
	/** Runs a look that begins after this call; calls that come while one runs share the next. */
	poll(): Promise<void>
	/** Stops the timer and waits for the look that runs. */
	close(): Promise<void>
}

/** Runs looks one at a time, by a timer and on demand. A look that throws is a programmer's mistake: it is not caught. */
export function createLookLoop(options: { clock: Clock; look: Look }): LookLoop {
	const { clock, look } = options
	let timer: Timer | null = null
	let running: Promise<void> | null = null
	let following: Promise<void> | null = null
	let open = true

	async function lookOnce(): Promise<void> {
		const delayMs = await look()
		running = null
		if (open && delayMs !== null) timer = clock.setTimer(delayMs, () => void poll())
	}

	function begin(): Promise<void> {
		if (!open) return Promise.resolve()
		timer?.cancel()
		running = lookOnce()
		return running
	}

	function poll(): Promise<void> {
		if (following !== null) return following
		if (running === null) return begin()
		following = running.then(() => {
			following = null
			return begin()
		})
		return following
	}

	return {
		start: () => void poll(),
		poll,
		async close() {
			open = false
			timer?.cancel()
			await running
		},
	}
}

/**
 * How long to wait after `failures` (≥ 1) failures in a row: full jitter over a doubling range, so that many daemons
 * do not come back together. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(failures: number, random: Random): number {
	const rangeMs = Math.min(limits.sourceRetryMostMs, limits.sourceRetryFirstMs * 2 ** Math.min(failures - 1, 30))
	return Math.max(limits.sourceRetryLeastMs, Math.round(rangeMs * random()))
}

/** The poll interval, ± 10 %. */
export function pollDelayMs(pollMs: number, random: Random): number {
	return Math.round(pollMs * (0.9 + 0.2 * random()))
}
