import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'

/** Who asks for a command, and why: both go into the journal for ever. */
export type Asked = { readonly actor: string; readonly reason: string }

/** Reads `{"actor": "…", "reason": "…"}`. Fails with what is wrong, in words for who sent it. */
export function readCommandBody(text: string): Result<Asked, string> {
	const body = parseJson(text)
	if (typeof body !== 'object' || body === null || Array.isArray(body)) {
		return fail('the body is JSON: {"actor": "who asks", "reason": "why"}')
	}
	const { actor, reason } = body as Partial<Record<string, unknown>>
	const problem =
		findProblem('actor', actor, limits.apiActorChars) ?? findProblem('reason', reason, limits.apiReasonChars)
	if (problem !== null) return fail(problem)
	// What Sluice decides by itself is journalled under this name.
	if (String(actor).trim().toLowerCase() === 'sluice') return fail('actor is who asks: sluice itself never does')
	return succeed({ actor: String(actor).trim(), reason: String(reason).trim() })
}

/** A field of a command's body that says how long, in ms; null where it is not there. */
export function readTime(name: string, text: string, mostMs: number): Result<number | null, string> {
	const value = (parseJson(text) as Partial<Record<string, unknown>>)[name] ?? null
	if (value === null) return succeed(null)
	if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= mostMs) return succeed(value)
	return fail(`${name} is a number of milliseconds from 1 to ${mostMs}`)
}

/** Null for what is no JSON. */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch (error) {
		if (error instanceof SyntaxError) return null
		throw error
	}
}

function findProblem(name: string, value: unknown, mostChars: number): string | null {
	if (typeof value !== 'string' || value.trim() === '') return `${name} is required: a text that is not empty`
	if (value.length > mostChars) return `${name} has at most ${mostChars} characters`
	if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) return `${name} is one line without control characters`
	return null
}
