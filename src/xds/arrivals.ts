import type { Socket } from 'node:net'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { hearGreeting } from './greeting.ts'

// So many connections at a time are begun that nothing has come from since. Whoever speaks first costs most: a handshake, a
// session, requests with all names. Without this a thousand that came while the loop was busy would all be ready in one
// turn of it, and everybody else would wait for all of them.
//
// A client of TLS gives up when it is not answered within its time to connect, often a second, and comes again. Of a fleet
// that comes at once, those who came first would be answered after they had given up, and so would all who come after
// them, for ever. So all are taken in before many are begun (Node takes in one in each turn of its loop, and of what
// the system has queued nobody sees who has hung up), who hangs up is let go of, and where it takes long the newest is begun
// first: it will wait for longest.

export type Arrivals = {
	/** @param socket paused, as it was accepted */
	come(socket: Socket): void
}

export type ArrivalsOptions = {
	readonly clock: Clock
	/**
	 * `greets`: peers say one thing and no more until they are answered, as under TLS. That is heard while they wait.
	 * `speaks`: they may send at once all that they have, which stays with the system until the connection is begun.
	 */
	readonly peer: 'greets' | 'speaks'
	/** It is read from now on. */
	readonly begin: (socket: Socket) => void
}

type Waiting = { readonly socket: Socket; readonly sinceMs: number; readonly giveBack: () => void }
/** `greeted`: the bytes that had come from it by then. */
type Begun = { readonly socket: Socket; readonly sinceMs: number; readonly greeted: number }

export function createArrivals({ clock, peer, begin }: ArrivalsOptions): Arrivals {
	/** In the order in which they came. */
	const waiting = new Set<Waiting>()
	/** Those that nothing has come from, or that have begun since it was looked last. */
	let begun: readonly Begun[] = []
	/** `working`: some have just been begun · `resting`: those who come are taken in, and none is begun. */
	let phase: 'idle' | 'working' | 'resting' = 'idle'
	let workingSinceMs = 0
	let haveCome = false

	function beginNext(): void {
		const nowMs = clock.monotonicMs()
		const next = nextOf(waiting, { nowMs, count: limits.xdsArrivalsAtOnce - begun.length })
		begun = [...begun, ...next.map(({ socket }) => ({ socket, sinceMs: nowMs, greeted: socket.bytesRead }))]
		for (const one of next) {
			waiting.delete(one)
			one.giveBack()
			begin(one.socket)
		}
		if (phase === 'working') return
		phase = 'working'
		workingSinceMs = nowMs
		// Not in this turn: what has been begun is to be read before more is.
		clock.setTimer(1, rest)
	}

	/** While others go on coming they are taken in for as long as the work took. */
	function rest(): void {
		if (!haveCome) return look()
		phase = 'resting'
		const tookMs = clock.monotonicMs() - workingSinceMs
		clock.setTimer(Math.min(tookMs, limits.xdsArrivalRestMs), look)
	}

	function look(): void {
		phase = 'idle'
		haveCome = false
		forgetWhoSpoke()
		if (waiting.size > 0) beginNext()
	}

	function forgetWhoSpoke(): void {
		const nowMs = clock.monotonicMs()
		begun = begun.filter(
			({ socket, sinceMs, greeted }) =>
				!socket.destroyed && socket.bytesRead === greeted && nowMs - sinceMs < mostMs(greeted),
		)
	}

	function wait(socket: Socket): void {
		const sinceMs = clock.monotonicMs()
		if (peer === 'speaks') return void waiting.add({ socket, sinceMs, giveBack() {} })
		const { giveBack } = hearGreeting(socket, () => waiting.delete(one))
		const one: Waiting = { socket, sinceMs, giveBack }
		waiting.add(one)
	}

	return {
		come(socket) {
			wait(socket)
			haveCome = true
			if (phase === 'idle') forgetWhoSpoke()
			if (phase !== 'resting' && waiting.size === 1) beginNext()
		},
	}
}

/** How long one keeps others waiting: who has greeted may be far away, and is answered already. */
function mostMs(greeted: number): number {
	return greeted === 0 ? limits.xdsArrivalSilentMs : limits.xdsArrivalAnswerMs
}

/** Who has said something is not kept waiting by who says nothing. */
function nextOf(all: ReadonlySet<Waiting>, { nowMs, count }: { nowMs: number; count: number }): readonly Waiting[] {
	if (count <= 0) return []
	const waiting = [...all]
	const spoken = waiting.filter(({ socket }) => socket.bytesRead > 0)
	const silent = waiting.filter(({ socket }) => socket.bytesRead === 0)
	const [oldest] = spoken
	const isLate = oldest !== undefined && nowMs - oldest.sinceMs > limits.xdsArrivalLateMs
	return [...(isLate ? spoken.toReversed() : spoken), ...silent].slice(0, count)
}
