/**
 * A moment, readable by every process of this machine: `monotonicMs` counts from the machine's start (CLOCK_MONOTONIC),
 * not from the process's, so that a mark taken here bounds what a child process measured.
 */
export type Mark = { readonly monotonicMs: number; readonly wallMs: number }

export function markNow(): Mark {
	return { monotonicMs: Number(process.hrtime.bigint()) / 1e6, wallMs: Date.now() }
}

/** The mark of a past moment known by its wall clock time, as a journal or log states it. */
export function markAtWall(wallMs: number): Mark {
	return { monotonicMs: markNow().monotonicMs - (Date.now() - wallMs), wallMs }
}

/** The mark of a past moment known by its monotonic time. */
export function markAtMonotonic(monotonicMs: number): Mark {
	const now = markNow()
	return { monotonicMs, wallMs: now.wallMs - (now.monotonicMs - monotonicMs) }
}
