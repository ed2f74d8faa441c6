import type { Socket } from 'node:net'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'

// Connections are begun in the order in which they came, and so many at a time that nothing has come from yet. Whoever
// speaks first costs most: a handshake, a session, requests with all names. Without this a thousand that came while the
// loop was busy would all be ready in one turn of it, and everybody else would wait for all of them. Until a connection is
// begun it is not read: what it sends stays with the system.

export type Arrivals = {
	/** @param socket paused, as it was accepted */
	come(socket: Socket): void
}

export type ArrivalsOptions = {
	readonly clock: Clock
	/** It is read from now on. */
	readonly begin: (socket: Socket) => void
}

type Begun = { readonly socket: Socket; readonly sinceMs: number }

export function createArrivals({ clock, begin }: ArrivalsOptions): Arrivals {
	let waiting: Socket[] = []
	let begun: readonly Begun[] = []
	let isDue = false

	function look(): void {
		isDue = false
		const nowMs = clock.monotonicMs()
		begun = begun.filter(
			({ socket, sinceMs }) =>
				!socket.destroyed && socket.bytesRead === 0 && nowMs - sinceMs < limits.xdsArrivalSilentMs,
		)
		const next = waiting.slice(0, limits.xdsArrivalsAtOnce - begun.length)
		waiting = waiting.slice(next.length)
		begun = [...begun, ...next.map((socket) => ({ socket, sinceMs: nowMs }))]
		for (const socket of next) begin(socket)
		if (waiting.length > 0) lookSoon()
	}

	/** Not in this turn: what has been begun is to be read before more is. */
	function lookSoon(): void {
		if (!isDue) clock.setTimer(1, look)
		isDue = true
	}

	return {
		come(socket) {
			waiting.push(socket)
			if (!isDue) look()
		},
	}
}
