import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import { createLoadConnection } from './load-connection.ts'
import { createLoadLog, type LoadWindow, type RequestEnd } from './load-log.ts'
import { type Mark, markNow } from './mark.ts'

export type LoadOptions = {
	/** Where to send: an HTTP/2 listener without TLS. */
	readonly address: string
	readonly port: number
	/** The `:authority` of every request. */
	readonly authority: string
	readonly path?: string
	readonly ratePerSecond: number
	/** 4 by default. */
	readonly connections?: number
}

/**
 * A steady open-loop load: requests start at their due times whatever became of the earlier ones, so that a slow or
 * broken service does not slow the count. Each is a GET, no failed one is repeated, and each is accounted for.
 */
export type Load = AsyncDisposable & {
	/** Everything since the start, as far as it is known now. */
	soFar(): LoadWindow
	/**
	 * The requests that started in [from, until). Resolves when they have all ended, at most `loadRequestMs` after
	 * `until`. Rejects with a LabError when part of that time is no longer remembered.
	 */
	between(from: Mark, until: Mark): Promise<LoadWindow>
	/** Sends no more, waits for what is in flight, closes the connections, and gives everything since the start. */
	stop(): Promise<LoadWindow>
}

type InFlight = { readonly startedMs: number; readonly giveUp: () => void }

/** Starts at once. A service that cannot be reached shows as failures, not as a rejection. */
export function startLoad(options: LoadOptions, clock: Clock = systemClock): Load {
	const log = createLoadLog()
	const connections = Array.from({ length: options.connections ?? 4 }, () =>
		createLoadConnection(options.address, options.port),
	)
	const headers = { ':method': 'GET', ':scheme': 'http', ':authority': options.authority, ':path': options.path ?? '/' }
	/** In the order in which they started: that is the order of a Map. */
	const inFlight = new Map<number, InFlight>()
	const startMs = markNow().monotonicMs
	let waiting: { readonly untilMs: number; readonly resolve: () => void }[] = []
	let due = 0
	let phase: 'sending' | 'draining' | 'stopped' = 'sending'
	tick()

	function tick(): void {
		if (phase === 'stopped') return
		const nowMs = markNow().monotonicMs
		for (; phase === 'sending' && dueMs() <= nowMs; due += 1) sendDue(nowMs)
		giveUpOld(nowMs)
		wake()
		const waitMs = phase === 'sending' ? dueMs() - nowMs : limits.labPollMs
		clock.setTimer(Math.max(1, waitMs), tick)
	}

	function dueMs(): number {
		return startMs + (due * 1000) / options.ratePerSecond
	}

	function sendDue(nowMs: number): void {
		const request = log.start(nowMs)
		const connection = connections[request % connections.length]
		const isTooLate = nowMs - dueMs() > limits.loadBacklogMs
		if (connection === undefined || isTooLate || inFlight.size >= limits.loadInFlight) {
			log.end(request, nowMs, { kind: 'notSent' })
			return
		}
		const giveUp = connection.send(headers, (end) => settle(request, end))
		inFlight.set(request, { startedMs: nowMs, giveUp })
	}

	function settle(request: number, end: RequestEnd): void {
		inFlight.delete(request)
		log.end(request, markNow().monotonicMs, end)
		wake()
	}

	function giveUpOld(nowMs: number): void {
		for (const { startedMs, giveUp } of inFlight.values()) {
			if (nowMs - startedMs < limits.loadRequestMs) return
			giveUp()
		}
	}

	/** Everything that started before this has ended. */
	function settledMs(): number {
		for (const { startedMs } of inFlight.values()) return startedMs
		return phase === 'sending' ? markNow().monotonicMs : Number.POSITIVE_INFINITY
	}

	function settledUntil(untilMs: number): Promise<void> {
		return new Promise((resolve) => {
			waiting.push({ untilMs, resolve })
			wake()
		})
	}

	function wake(): void {
		if (waiting.length === 0) return
		const settled = settledMs()
		for (const { untilMs, resolve } of waiting) if (untilMs <= settled) resolve()
		waiting = waiting.filter(({ untilMs }) => untilMs > settled)
	}

	async function between(from: Mark, until: Mark): Promise<LoadWindow> {
		await settledUntil(until.monotonicMs)
		return log.window(from.monotonicMs, until.monotonicMs)
	}

	async function stop(): Promise<LoadWindow> {
		if (phase === 'sending') phase = 'draining'
		await settledUntil(Number.POSITIVE_INFINITY)
		phase = 'stopped'
		for (const connection of connections) connection.close()
		return log.total()
	}

	return {
		soFar: () => log.total(),
		between,
		stop,
		async [Symbol.asyncDispose]() {
			await stop()
		},
	}
}
