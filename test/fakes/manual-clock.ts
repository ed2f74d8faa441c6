import type { Clock } from '#base/clock.ts'

/** A clock that stands still until a test moves it. */
export type ManualClock = Clock & {
	/** Moves on, and fires what is due in the order of its time; timers that these set are fired as well. */
	advance(ms: number): void
	/** How long each waiting timer has to go, soonest first. */
	pendingMs(): readonly number[]
}

export function createManualClock(startWallMs = 1_700_000_000_000): ManualClock {
	let nowMs = 0
	const timers = new Set<{ atMs: number; fire: () => void }>()

	function inOrder() {
		return [...timers].sort((left, right) => left.atMs - right.atMs)
	}

	return {
		monotonicMs: () => nowMs,
		wallMs: () => startWallMs + nowMs,
		setTimer(delayMs, fire) {
			const timer = { atMs: nowMs + delayMs, fire }
			timers.add(timer)
			return { cancel: () => void timers.delete(timer) }
		},
		advance(ms) {
			const endMs = nowMs + ms
			for (;;) {
				const next = inOrder()[0]
				if (next === undefined || next.atMs > endMs) break
				timers.delete(next)
				nowMs = next.atMs
				next.fire()
			}
			nowMs = endMs
		},
		pendingMs: () => inOrder().map((timer) => timer.atMs - nowMs),
	}
}
