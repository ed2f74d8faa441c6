import type { Clock } from '#base/clock.ts'

/**
 * Pauses of one length, of which thousands begin in a second: one timer does for all, since they end in the order in
 * which they began. A pause may take twice its length.
 */
export type Pauses = {
	/** `over` is called when it has passed. One that had begun before begins anew. */
	begin(over: () => void): void
	cancel(over: () => void): void
}

export function createPauses({ clock, lengthMs }: { readonly clock: Clock; readonly lengthMs: number }): Pauses {
	/** When each has begun; oldest first. */
	const begunMs = new Map<() => void, number>()
	let isTimed = false

	function setTimer(): void {
		isTimed = true
		clock.setTimer(lengthMs, endDue)
	}

	function endDue(): void {
		const nowMs = clock.monotonicMs()
		for (const [over, sinceMs] of begunMs) {
			if (nowMs - sinceMs < lengthMs) break
			begunMs.delete(over)
			over()
		}
		isTimed = false
		if (begunMs.size > 0) setTimer()
	}

	return {
		begin(over) {
			begunMs.delete(over)
			begunMs.set(over, clock.monotonicMs())
			if (!isTimed) setTimer()
		},
		cancel: (over) => void begunMs.delete(over),
	}
}
