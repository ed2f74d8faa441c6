import type { AllowedOrigins } from '#base/allowed-origins.ts'
import { callHttp, showWords } from '#base/call-http.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { Credentials } from './credentials.ts'

// One question over HTTP, asked only where the daemon may, with a bounded answer.

export type HttpQuestion = {
	readonly url: string
	/** Form of a POST; null: a GET. */
	readonly form: URLSearchParams | null
	readonly credentials: string | null
}

/** `words`: what somebody else says, safe to show. */
export type HttpAnswer = { readonly status: number; readonly json: unknown; words(text: string): string }

/** Fails with half a sentence without anything secret. */
export type AskHttp = (question: HttpQuestion, signal: AbortSignal) => Promise<Result<HttpAnswer, string>>

export function createAskHttp(options: { allowed: AllowedOrigins; credentials: Credentials }): AskHttp {
	const { allowed, credentials } = options
	return async (question, signal) => {
		const url = new URL(question.url)
		const refusal = allowed.refusal(url, question.credentials)
		if (refusal !== null) return fail(refusal)
		const authorization = question.credentials === null ? null : await credentials.authorization(question.credentials)
		if (authorization !== null && !authorization.ok) return authorization
		const secret = authorization?.value ?? null
		const headers = { accept: 'application/json', ...(secret === null ? {} : { authorization: secret }) }
		const { form } = question
		const call = { method: form === null ? 'GET' : 'POST', headers, body: form } as const
		const reply = await callHttp(url, { ...call, mostBytes: limits.measurementBytes }, signal)
		if (!reply.ok) return reply
		const { status, text } = reply.value
		return succeed({ status, json: parse(text), words: (said) => wordsWithout(said, secret) })
	}
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

/** Somebody else's words, without what was sent to him. */
function wordsWithout(text: string, authorization: string | null): string {
	const masked = secretsOf(authorization).reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
	return showWords(masked, limits.measurementWordsChars)
}

/** As it was sent, and of a password what it says. */
function secretsOf(authorization: string | null): string[] {
	const [scheme, sent = ''] = authorization?.split(' ') ?? []
	const userAndPassword = scheme === 'Basic' ? Buffer.from(sent, 'base64').toString('utf8') : ''
	const password = userAndPassword.slice(userAndPassword.indexOf(':') + 1)
	return [sent, userAndPassword, password].filter((secret) => secret !== '')
}
