import { unreachable } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'
import { type AppFailure, failureFromQuery, healthy } from './app-failure.ts'
import type { HttpExchange } from './http-exchange.ts'

/** What has become of the requests so far, those to `/_…` aside. `requests` is the sum of the rest. */
export type AppCounts = {
	readonly requests: number
	/** Answers by status code. */
	readonly byStatus: Readonly<Record<string, number>>
	readonly reset: number
	/** Never answered, on purpose. */
	readonly hung: number
	/** To be answered later. */
	readonly delayed: number
}

/** An app's mind without its sockets: what it answers, and how it is told to fail. */
export type AppBehaviour = {
	receive(exchange: HttpExchange): void
	/** From the next request on. */
	setFailure(failure: AppFailure): void
	heal(): void
	counts(): AppCounts
}

export type AppPorts = { readonly clock: Clock; readonly random: Random }

/** Answers as the app called `name`. Which requests of a share fail is drawn from `random`. */
export function createAppBehaviour(name: string, { clock, random }: AppPorts): AppBehaviour {
	const byStatus: Record<string, number> = {}
	let failure = healthy
	let requests = 0
	let reset = 0
	let hung = 0
	let delayed = 0

	function receive(exchange: HttpExchange): void {
		const url = new URL(exchange.path, 'http://app')
		if (url.pathname.startsWith('/_')) {
			control(exchange, url)
			return
		}
		requests += 1
		if (random() * 1_000_000 < failure.sharePpm) failOne(exchange)
		else answer(exchange, 200)
	}

	function failOne(exchange: HttpExchange): void {
		const { how } = failure
		switch (how.kind) {
			case 'answer':
				answerAfter(exchange, how.status, how.delayMs)
				return
			case 'hang':
				hung += 1
				return
			case 'reset':
				reset += 1
				exchange.reset()
				return
			default:
				unreachable(how)
		}
	}

	function answerAfter(exchange: HttpExchange, status: number, delayMs: number): void {
		if (delayMs === 0 || delayed >= limits.appDelayedRequests) {
			answer(exchange, status)
			return
		}
		delayed += 1
		clock.setTimer(delayMs, () => {
			delayed -= 1
			answer(exchange, status)
		})
	}

	function answer(exchange: HttpExchange, status: number): void {
		byStatus[status] = (byStatus[status] ?? 0) + 1
		exchange.answer(status, { 'x-app': name, 'content-type': 'text/plain' }, `${name}\n`)
	}

	function control(exchange: HttpExchange, url: URL): void {
		const { status, value } = obey(`${exchange.method} ${url.pathname}`, url.searchParams)
		exchange.answer(status, { 'x-app': name, 'content-type': 'application/json' }, `${JSON.stringify(value)}\n`)
	}

	function obey(command: string, query: URLSearchParams): { status: number; value: unknown } {
		switch (command) {
			case 'GET /_counts':
				return { status: 200, value: counts() }
			case 'POST /_heal':
				failure = healthy
				return { status: 200, value: 'healed' }
			case 'POST /_fail': {
				const wanted = failureFromQuery(query)
				if (wanted === null)
					return { status: 400, value: 'percent 0–100, status 200–599, delayMs, kind answer|hang|reset' }
				failure = wanted
				return { status: 200, value: wanted }
			}
			default:
				return { status: 404, value: 'POST /_fail, POST /_heal or GET /_counts' }
		}
	}

	function counts(): AppCounts {
		return { requests, byStatus: { ...byStatus }, reset, hung, delayed }
	}

	return {
		receive,
		setFailure(next) {
			failure = next
		},
		heal() {
			failure = healthy
		},
		counts,
	}
}
