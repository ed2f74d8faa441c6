/** A timer that has not fired yet. */
export type Timer = { cancel(): void }

/**
 * Time, as a port. Durations are always taken from `monotonicMs`; `wallMs` is only for what people read.
 * The simulator drives the daemon with a virtual clock.
 */
export type Clock = {
	/** Milliseconds since an arbitrary start; never goes back, whatever happens to the wall clock. */
	monotonicMs(): number
	/** Milliseconds since 1970-01-01 UTC. May jump. */
	wallMs(): number
	/** Calls `fire` once after `delayMs`. */
	setTimer(delayMs: number, fire: () => void): Timer
}
