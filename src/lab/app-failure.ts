/** What an app does to the share of requests that are to fail. */
export type FailureKind =
	/** Answers with `status` after `delayMs`: an error, or a slow success. */
	| { readonly kind: 'answer'; readonly status: number; readonly delayMs: number }
	/** Never answers. */
	| { readonly kind: 'hang' }
	/** Resets the stream (HTTP/2) or the connection (HTTP/1.1). */
	| { readonly kind: 'reset' }

export type AppFailure = {
	/** 0 is a healthy app. */
	readonly sharePpm: number
	readonly how: FailureKind
}

export const healthy: AppFailure = { sharePpm: 0, how: { kind: 'answer', status: 503, delayMs: 0 } }

/**
 * The failure that `POST /_fail?percent=50&status=503&delayMs=0&kind=answer` asks for; all parts may be left out, then
 * it is every request with 503. Null when a part makes no sense.
 */
export function failureFromQuery(query: URLSearchParams): AppFailure | null {
	const percent = numberIn(query, 'percent', { least: 0, most: 100, otherwise: 100 })
	const status = numberIn(query, 'status', { least: 200, most: 599, otherwise: 503 })
	const delayMs = numberIn(query, 'delayMs', { least: 0, most: 600_000, otherwise: 0 })
	if (percent === null || status === null || delayMs === null || !Number.isInteger(status)) return null
	const sharePpm = Math.round(percent * 10_000)
	const kind = query.get('kind') ?? 'answer'
	if (kind === 'answer') return { sharePpm, how: { kind, status, delayMs } }
	if (kind === 'hang' || kind === 'reset') return { sharePpm, how: { kind } }
	return null
}

type Range = { readonly least: number; readonly most: number; readonly otherwise: number }

function numberIn(query: URLSearchParams, name: string, range: Range): number | null {
	const text = query.get(name)
	if (text === null) return range.otherwise
	const value = text.trim() === '' ? Number.NaN : Number(text)
	return value >= range.least && value <= range.most ? value : null
}
