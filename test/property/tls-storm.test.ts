import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { createArrivals } from '#xds/arrivals.ts'

// A fleet that comes at once over TLS, and of which each gives up and comes again when it is not answered in time: turn
// by turn of the server's loop, with what things cost it.

const clients = 4_000
const patienceMs = 1_000
const backOffMs = { least: 100, most: 1_000 }
/** The system's queue of connections that are not taken in. */
const backlog = 4_096
const acceptMs = 0.15
const handshakeMs = 1.3
/** All of them answered, so many at a time as may keep their places, and half as long again to take them in. */
const enoughMs = 1.5 * (clients / limits.xdsArrivalsAtOnce) * limits.xdsArrivalAnswerMs

/** One attempt of one client. */
class Attempt extends EventEmitter {
	readonly client: number
	readonly sinceMs: number
	bytesRead = 0
	destroyed = false
	hasHungUp = false

	constructor(client: number, sinceMs: number) {
		super()
		this.client = client
		this.sinceMs = sinceMs
	}

	resume = () => this
	pause = () => this
	unshift = () => undefined
	destroy = () => {
		this.destroyed = true
	}
}

/** As a loop has them, timers fire between turns: those of each whole ms together. */
function createLoopClock() {
	let nowMs = 0
	let firedMs = -1
	const timers = new Map<number, Set<() => void>>()
	const clock: Clock = {
		monotonicMs: () => nowMs,
		wallMs: () => nowMs,
		setTimer(delayMs, fire) {
			const atMs = Math.max(Math.ceil(nowMs + delayMs), firedMs + 1)
			const due = timers.get(atMs) ?? new Set()
			timers.set(atMs, due.add(fire))
			return { cancel: () => void due.delete(fire) }
		},
	}
	return {
		...clock,
		pass(ms: number): void {
			nowMs += ms
		},
		fireDue(): void {
			while (firedMs < Math.floor(nowMs)) {
				firedMs += 1
				const due = timers.get(firedMs)
				timers.delete(firedMs)
				for (const fire of due ?? []) fire()
			}
		},
	}
}

function playStorm(random: Random, roundTripMs: number) {
	const clock = createLoopClock()
	const queued: Attempt[] = []
	const open = new Set<Attempt>()
	const answered = new Set<number>()
	const working: Attempt[] = []
	let [handshakes, mostOpen] = [0, 0]
	const arrivals = createArrivals({
		clock,
		peer: 'greets',
		begin: (socket) => void working.push(socket as unknown as Attempt),
	})

	function dial(client: number): void {
		const attempt = new Attempt(client, clock.monotonicMs())
		if (queued.length < backlog) queued.push(attempt)
		clock.setTimer(patienceMs, () => {
			if (answered.has(client)) return
			attempt.hasHungUp = true
			clock.setTimer(backOffMs.least + random() * (backOffMs.most - backOffMs.least), () => dial(client))
		})
	}

	/** What is there to be read of those that wait: a greeting, an end. */
	function read(attempt: Attempt): void {
		if (attempt.bytesRead === 0) {
			attempt.bytesRead = 300
			attempt.emit('data', Buffer.alloc(300))
		}
		if (attempt.hasHungUp) attempt.emit('end')
		if (attempt.destroyed) open.delete(attempt)
	}

	/** The server does its part whether anybody is there or not. */
	function shakeHands(attempt: Attempt): void {
		open.delete(attempt)
		handshakes += 1
		clock.pass(handshakeMs)
		attempt.destroyed = attempt.hasHungUp
		if (attempt.hasHungUp) return
		answered.add(attempt.client)
		clock.setTimer(roundTripMs, () => {
			attempt.bytesRead += 100
		})
	}

	function turn(): void {
		clock.fireDue()
		const next = queued.shift()
		if (next !== undefined) {
			open.add(next)
			arrivals.come(next as unknown as Socket)
		}
		mostOpen = Math.max(mostOpen, open.size)
		for (const attempt of open) if (attempt.listenerCount('data') > 0 && attempt !== next) read(attempt)
		for (const attempt of working.splice(0)) shakeHands(attempt)
		clock.pass(acceptMs)
	}

	for (let client = 0; client < clients; client += 1) dial(client)
	while (answered.size < clients && clock.monotonicMs() < enoughMs) turn()
	return { answered: answered.size, handshakes, mostOpen }
}

test.for([
	[1, 0],
	[2, 5],
	[3, 80],
] as const)(
	'all are answered, and hardly a handshake is for nothing (seed %i, round trip %i ms)',
	([seed, roundTripMs]) => {
		const { answered, handshakes, mostOpen } = playStorm(seededRandom(seed), roundTripMs)
		expect(answered).toBe(clients)
		expect(handshakes).toBeLessThan(1.1 * clients)
		expect(mostOpen).toBeLessThan(clients)
	},
)
