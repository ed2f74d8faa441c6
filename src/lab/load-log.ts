import { limits } from '#base/limits.ts'
import { LabError } from './lab-error.ts'
import { type Mark, markAtMonotonic } from './mark.ts'

/** How one request ended. `app` is the answer's `x-app`, null without one. */
export type RequestEnd =
	| { readonly kind: 'answered'; readonly status: number; readonly app: string | null }
	| { readonly kind: 'reset' | 'timeout' | 'noConnection' }
	/** Due, but not sent, because too many were in flight or the sender could not keep up. Not a request. */
	| { readonly kind: 'notSent' }

/** What happened to the requests that STARTED in a stretch of time, whenever they ended. */
export type LoadWindow = {
	readonly requests: number
	/** Status below 500. requests = answered + failed + pending. */
	readonly answered: number
	/** Status from 500 on, reset, timeout, no connection. */
	readonly failed: number
	readonly pending: number
	/** Due but not sent: anything but 0 means that the rate was not kept. */
	readonly notSent: number
	/** Answers by `x-app`, failed ones included. */
	readonly byApp: Readonly<Record<string, number>>
	/** By status (`503`) or by `reset`, `timeout`, `noConnection`. */
	readonly failures: Readonly<Record<string, number>>
	/** When the first and last failure was seen by the client. */
	readonly firstFailure: Mark | null
	readonly lastFailure: Mark | null
}

/** What every request did, for the newest `loadRequestsKept` of them, in typed arrays of a fixed size. */
export type LoadLog = {
	/** Gives the request's number. Calls come in order of time. */
	start(startedMs: number): number
	end(request: number, endedMs: number, end: RequestEnd): void
	/** From (included) until (excluded), machine-monotonic ms. Throws a LabError when part of it is forgotten. */
	window(fromMs: number, untilMs: number): LoadWindow
	/** Of all requests ever: nothing is forgotten here. */
	total(): LoadWindow
}

const pendingOutcome = 'pending'

export function createLoadLog(capacity: number = limits.loadRequestsKept): LoadLog {
	const startedMs = new Float64Array(capacity)
	const endedMs = new Float64Array(capacity)
	const outcomes = new Uint16Array(capacity)
	const apps = new Uint16Array(capacity)
	const outcomeNames = createNames(pendingOutcome)
	const appNames = createNames('')
	const total = createTally()
	let next = 0
	let ended = 0

	function start(atMs: number): number {
		const slot = next % capacity
		startedMs[slot] = atMs
		outcomes[slot] = 0
		apps[slot] = 0
		next += 1
		return next - 1
	}

	function end(request: number, atMs: number, how: RequestEnd): void {
		const outcome = how.kind === 'answered' ? String(how.status) : how.kind
		const app = how.kind === 'answered' ? (how.app ?? '') : ''
		ended += 1
		total.add(outcome, app, atMs)
		if (request < next - capacity) return
		const slot = request % capacity
		endedMs[slot] = atMs
		outcomes[slot] = outcomeNames.numberOf(outcome)
		apps[slot] = appNames.numberOf(app)
	}

	function window(fromMs: number, untilMs: number): LoadWindow {
		const oldest = Math.max(0, next - capacity)
		if (oldest > 0 && fromMs < (startedMs[oldest % capacity] ?? 0)) {
			throw new LabError('forgotten', `only the newest ${capacity} requests are remembered`)
		}
		const tally = createTally()
		let pending = 0
		for (let request = oldest; request < next; request += 1) {
			const slot = request % capacity
			const started = startedMs[slot] ?? 0
			if (started < fromMs || started >= untilMs) continue
			const outcome = outcomeNames.name(outcomes[slot] ?? 0)
			if (outcome === pendingOutcome) pending += 1
			else tally.add(outcome, appNames.name(apps[slot] ?? 0), endedMs[slot] ?? 0)
		}
		return tally.window(pending)
	}

	return { start, end, window, total: () => total.window(next - ended) }
}

/** Sums over requests that have ended. */
function createTally() {
	const byApp: Record<string, number> = {}
	const failures: Record<string, number> = {}
	let [answered, failed, notSent] = [0, 0, 0]
	let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

	function add(outcome: string, app: string, endedMs: number): void {
		if (app !== '') byApp[app] = (byApp[app] ?? 0) + 1
		if (outcome === 'notSent') notSent += 1
		else if (Number(outcome) < 500) answered += 1
		else {
			failed += 1
			failures[outcome] = (failures[outcome] ?? 0) + 1
			firstMs = Math.min(firstMs, endedMs)
			lastMs = Math.max(lastMs, endedMs)
		}
	}

	function window(pending: number): LoadWindow {
		return {
			requests: answered + failed + pending,
			answered,
			failed,
			pending,
			notSent,
			byApp: { ...byApp },
			failures: { ...failures },
			firstFailure: failed === 0 ? null : markAtMonotonic(firstMs),
			lastFailure: failed === 0 ? null : markAtMonotonic(lastMs),
		}
	}

	return { add, window }
}

/** Small numbers for few different texts, so that a request's text costs two bytes. */
function createNames(first: string) {
	const names = [first]
	const numbers = new Map([[first, 0]])
	return {
		name: (number: number): string => names[number] ?? first,
		numberOf(name: string): number {
			const known = numbers.get(name)
			if (known !== undefined) return known
			numbers.set(name, names.length)
			names.push(name)
			return names.length - 1
		},
	}
}
