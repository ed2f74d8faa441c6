import type { Measurement } from '#guard/look.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'
import type { AskHttp } from './ask-http.ts'
import { noData } from './measurement.ts'

// A JSON document with a number in it, at a JSON pointer (RFC 6901), and if it says so the time of that number.

type Options = {
	readonly windowMs: number
	readonly ask: AskHttp
	readonly wallMs: () => number
	readonly signal: AbortSignal
}

export async function askHttpJson(
	{ url, value: pointer, time, credentials }: Extract<ThresholdSource, { kind: 'http' }>,
	{ windowMs, ask, wallMs, signal }: Options,
): Promise<Measurement> {
	const answer = await ask({ url, form: null, credentials }, signal)
	if (!answer.ok) return noData(answer.error)
	const { status, json } = answer.value
	if (status < 200 || status > 299) return noData(`${new URL(url).origin} answers ${status}`)
	if (json === undefined) return noData(`${new URL(url).origin} answers no JSON`)
	const age = time === null ? { ms: 0, wrong: null } : ageOf(at(json, time), { windowMs, nowMs: wallMs() })
	if (age.wrong !== null) return noData(`${age.wrong} at ${time}`)
	const value = at(json, pointer)
	if (typeof value !== 'number') return noData(`there is no number at ${JSON.stringify(pointer)} of the answer`)
	return Number.isFinite(value) ? { kind: 'value', value, ageMs: age.ms } : noData('the number is too large')
}

/** The value at a pointer, or undefined. Own members only. */
function at(json: unknown, pointer: string): unknown {
	const tokens = pointer.split('/').slice(1)
	return tokens.reduce<unknown>((value, token) => {
		const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
		if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined
		return (value as Readonly<Record<string, unknown>>)[key]
	}, json)
}

/** ISO 8601 text with its zone, or seconds since 1970. */
function timeOf(value: unknown): number | null {
	if (typeof value === 'number') return value * 1000
	if (typeof value !== 'string' || !/(Z|[+-]\d\d:?\d\d)$/.test(value)) return null
	const ms = Date.parse(value)
	return Number.isNaN(ms) ? null : ms
}

/** A time ahead of ours is as doubtful as an old one. */
function ageOf(
	written: unknown,
	{ windowMs, nowMs }: { windowMs: number; nowMs: number },
): { readonly ms: number; readonly wrong: string | null } {
	const timeMs = timeOf(written)
	if (timeMs === null || !Number.isFinite(timeMs)) return { ms: 0, wrong: 'there is no time' }
	const ms = nowMs - timeMs
	const seconds = Math.round(Math.abs(ms) / 1000)
	if (ms > windowMs) return { ms, wrong: `the value is ${seconds} s old` }
	if (-ms > windowMs) return { ms, wrong: `the value is ${seconds} s ahead of time` }
	return { ms: Math.max(0, ms), wrong: null }
}
