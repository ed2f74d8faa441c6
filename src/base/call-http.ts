import { fail, type Result, succeed } from './result.ts'

// One request over HTTP to somebody whom Git may have named. Redirects are not followed: they would lead past the list of
// who may be asked. The answer is bounded, and what goes wrong is said without what was sent.

export type HttpCall = {
	readonly method: 'GET' | 'POST'
	readonly headers: Readonly<Record<string, string>>
	readonly body: string | URLSearchParams | null
	/** A larger answer is none. */
	readonly mostBytes: number
}

export type HttpReply = { readonly status: number; readonly text: string }

/** Fails with half a sentence without anything secret. */
export async function callHttp(url: URL, call: HttpCall, signal: AbortSignal): Promise<Result<HttpReply, string>> {
	const { method, headers, body, mostBytes } = call
	try {
		const response = await fetch(url, { method, headers, body, redirect: 'manual', signal })
		const text = await readBounded(response, mostBytes)
		if (text === null) return fail(`the answer of ${url.origin} is larger than ${mostBytes} bytes`)
		return succeed({ status: response.status, text })
	} catch (error) {
		return fail(`${url.origin} does not answer (${nameOf(error)})`)
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

/** Somebody else's words, on one line and short. */
export function showWords(text: string, mostChars: number): string {
	const plain = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
	return plain.length <= mostChars ? plain : `${plain.slice(0, mostChars)}…`
}

/** Names only: messages of the client may quote what was sent. */
function nameOf(error: unknown): string {
	if (!(error instanceof Error)) return 'unknown failure'
	const { cause } = error
	if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
	return error.name === 'AbortError' ? 'no answer in time' : error.name
}
