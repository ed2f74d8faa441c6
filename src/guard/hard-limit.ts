import { type Arms, addArms, addCounts, noArms, noCounts } from './arms.ts'
import type { Alarm, Counts } from './look.ts'

// The hard limit: a canary that plainly fails or hangs is taken back on the second, or third, flush that shows it.
// No statistics and nothing that mutes it. One watch follows one stream of flushes: a proxy's own, or the fleet's sum.

/** Canary requests that a window must have, and windows that an alarm takes. */
export const windowRequests = 20
export const badWindows = 2
/** Of the limit: neither window may have failed less often, however bad the other was. */
const leastPart = 0.5
/** Flushes in a row, and requests started in them, that show a stall. */
const stallFlushes = 3
const stallStarted = 20
/** The baseline must be clearly better: below this, and below half the limit where a policy sets a low one. */
const baselineLimitPpm = 250_000

/** One flush of a stream. `answered` and `started` are those of proxies; `requests` has the unrouted ones too. */
export type WatchedFlush = {
	readonly canary: {
		readonly counts: Counts
		readonly answered: number
		readonly started: number
		readonly active: number
	}
	readonly baseline: { readonly counts: Counts; readonly active: number }
}

/** Mutable memory of one stream. */
export type HardLimitWatch = {
	/** The window that is filling; thin traffic needs several flushes for one. */
	window: Arms
	/** The last window, if it was bad enough to be one of two. */
	suspect: Arms | null
	stall: { flushes: number; started: number; baseline: Counts }
	/** In flight at the last flush; null before the first. */
	active: { readonly canary: number; readonly baseline: number } | null
}

export function createWatch(): HardLimitWatch {
	return {
		window: noArms,
		suspect: null,
		stall: { flushes: 0, started: 0, baseline: noCounts },
		active: null,
	}
}

/** Takes in one flush; answers the alarm it raises, without saying of whom. Errors come before a stall. */
export function watchFlush(
	watch: HardLimitWatch,
	flush: WatchedFlush,
	hardLimitPpm: number,
): Pick<Alarm, 'kind' | 'counts'> | null {
	const errors = watchErrors(watch, flush, hardLimitPpm)
	const stall = watchStall(watch, flush)
	watch.active = { canary: flush.canary.active, baseline: flush.baseline.active }
	if (errors !== null) return { kind: 'errors', counts: errors }
	return stall === null ? null : { kind: 'stall', counts: stall }
}

/**
 * Two windows in a row that together fail as often as the limit says. A flush with enough canary requests is a window by
 * itself, whatever was gathered before it, so that an alarm never needs more than the two flushes that show it; thinner
 * flushes are gathered until they make one.
 */
function watchErrors(watch: HardLimitWatch, flush: WatchedFlush, hardLimitPpm: number): Arms | null {
	const alone: Arms = { canary: flush.canary.counts, baseline: flush.baseline.counts }
	const window = alone.canary.requests >= windowRequests ? alone : addArms(watch.window, alone)
	if (window.canary.requests < windowRequests) {
		watch.window = window
		return null
	}
	watch.window = noArms
	const before = watch.suspect
	watch.suspect = isSuspect(window, hardLimitPpm) ? window : null
	if (before === null || watch.suspect === null) return null
	const both = addArms(before, window)
	return both.canary.errors * 1_000_000 >= hardLimitPpm * both.canary.requests ? both : null
}

function isSuspect({ canary, baseline }: Arms, hardLimitPpm: number): boolean {
	const ceilingPpm = hardLimitCeilingPpm(hardLimitPpm)
	const baselineIsWell = baseline.requests === 0 || baseline.errors * 1_000_000 < ceilingPpm * baseline.requests
	return baselineIsWell && canary.errors * 1_000_000 >= leastPart * hardLimitPpm * canary.requests
}

/** Where the baseline fails as often as this, its canary's failures say nothing. */
export function hardLimitCeilingPpm(hardLimitPpm: number): number {
	return Math.min(baselineLimitPpm, hardLimitPpm / 2)
}

/**
 * A stall: requests pile up at the canary and not one is answered. Not so where the baseline does the same, or is itself
 * so slow that nothing can be expected of the canary yet: by Little's law its requests stay longer than these flushes
 * when it holds more of them than it answered.
 */
function watchStall(watch: HardLimitWatch, { canary, baseline }: WatchedFlush): Arms | null {
	const before = watch.active ?? { canary: canary.active, baseline: baseline.active }
	const isPiling = canary.answered === 0 && canary.active > before.canary
	const baselineIsPiling = baseline.counts.requests === 0 && baseline.active > before.baseline
	if (!isPiling || baselineIsPiling) {
		watch.stall = { flushes: 0, started: 0, baseline: noCounts }
		return null
	}
	watch.stall = {
		flushes: watch.stall.flushes + 1,
		started: watch.stall.started + canary.started,
		baseline: addCounts(watch.stall.baseline, baseline.counts),
	}
	const { flushes, started, baseline: answered } = watch.stall
	const baselineIsQuick = answered.requests >= baseline.active
	if (flushes < stallFlushes || started < stallStarted || !baselineIsQuick) return null
	return { canary: { requests: started, errors: 0 }, baseline: answered }
}
