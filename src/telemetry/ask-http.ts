import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { AllowedSources } from './allowed-sources.ts'
import type { Credentials } from './credentials.ts'

// One question over HTTP, asked only where the daemon may, with a bounded answer. Redirects are not followed: they would
// lead past the list of who may be asked.

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

export function createAskHttp(options: { allowed: AllowedSources; credentials: Credentials }): AskHttp {
	const { allowed, credentials } = options
	return async (question, signal) => {
		const url = new URL(question.url)
		const refusal = allowed.refusal(url, question.credentials)
		if (refusal !== null) return fail(refusal)
		const authorization = question.credentials === null ? null : await credentials.authorization(question.credentials)
		if (authorization !== null && !authorization.ok) return authorization
		const secret = authorization?.value ?? null
		try {
			const response = await fetch(url, {
				method: question.form === null ? 'GET' : 'POST',
				body: question.form,
				headers: { accept: 'application/json', ...(secret === null ? {} : { authorization: secret }) },
				redirect: 'manual',
				signal,
			})
			const read = await readBounded(response, limits.measurementBytes)
			if (read === null) return fail(`the answer of ${url.origin} is larger than ${limits.measurementBytes} bytes`)
			return succeed({ status: response.status, json: parse(read), words: (text) => showWords(text, secret) })
		} catch (error) {
			return fail(`${url.origin} does not answer (${nameOf(error)})`)
		}
	}
}

/** Null when there is more than may be read. */
export async function readBounded({ body }: Response, mostBytes: number): Promise<string | null> {
	if (body === null) return ''
	const chunks: Uint8Array[] = []
	let size = 0
	for await (const chunk of body) {
		size += chunk.length
		if (size > mostBytes) return null
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

/** Somebody else's words, on one line and short, and without what was sent to him. */
function showWords(text: string, authorization: string | null): string {
	const masked = secretsOf(authorization).reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
	const plain = masked.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
	const { measurementWordsChars } = limits
	return plain.length <= measurementWordsChars ? plain : `${plain.slice(0, measurementWordsChars)}…`
}

/** As it was sent, and of a password what it says. */
function secretsOf(authorization: string | null): string[] {
	const [scheme, sent = ''] = authorization?.split(' ') ?? []
	const userAndPassword = scheme === 'Basic' ? Buffer.from(sent, 'base64').toString('utf8') : ''
	const password = userAndPassword.slice(userAndPassword.indexOf(':') + 1)
	return [sent, userAndPassword, password].filter((secret) => secret !== '')
}

/** Names only: messages of the client may quote what was sent. */
function nameOf(error: unknown): string {
	if (!(error instanceof Error)) return 'unknown failure'
	const { cause } = error
	if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
	return error.name === 'AbortError' ? 'no answer in time' : error.name
}
