import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { limits } from '#base/limits.ts'
import type { RequestEnd } from './load-log.ts'

/** One HTTP/2 connection without TLS that opens itself again after the other side has closed or announced its end. */
export type LoadConnection = {
	/**
	 * Sends a request without a body; `ended` is called once. Gives the way to end it as a timeout. A request that the
	 * connection refused because it was ending has not been processed (RFC 9113 §8.7): it goes out again, on the next
	 * connection, as from any client.
	 */
	send(headers: RequestHeaders, ended: (end: RequestEnd) => void): () => void
	close(): void
}

type RequestHeaders = Readonly<Record<string, string>>
type Opened = { readonly session: ClientHttp2Session; phase: 'connecting' | 'connected' | 'leaving' }

/** Opens nothing until the first request. */
export function createLoadConnection(address: string, port: number): LoadConnection {
	let current: Opened | null = null

	function usable(): Opened {
		if (current !== null && !current.session.closed && !current.session.destroyed) return current
		const session = connect(`http://${address}:${port}`)
		const opened: Opened = { session, phase: 'connecting' }
		session.on('connect', () => {
			opened.phase = 'connected'
		})
		// Every stream of a broken session ends with it and says so; the session has nothing to add.
		session.on('error', () => session.destroy())
		// After GOAWAY, streams that are open may end, but new ones need another connection (RFC 9113 §6.8).
		session.on('goaway', () => {
			opened.phase = 'leaving'
			session.close()
		})
		current = opened
		return opened
	}

	function send(headers: RequestHeaders, ended: (end: RequestEnd) => void): () => void {
		let tries = 0
		let isGivenUp = false
		let stream = attempt()

		function attempt(): ClientHttp2Stream {
			const opened = usable()
			const sent = opened.session.request(headers, { endStream: true })
			tries += 1
			followStream(sent, (answer) => {
				const isUnprocessed = opened.phase === 'leaving' && sent.rstCode === constants.NGHTTP2_REFUSED_STREAM
				if (isGivenUp) ended({ kind: 'timeout' })
				else if (answer !== null) ended(answer)
				else if (isUnprocessed && tries < limits.loadTries) stream = attempt()
				else ended({ kind: opened.phase === 'connecting' ? 'noConnection' : 'reset' })
			})
			return sent
		}

		return () => {
			isGivenUp = true
			stream.close(constants.NGHTTP2_CANCEL)
			// close() alone waits for a connection that may never come.
			stream.destroy()
		}
	}

	return { send, close: () => current?.session.destroy() }
}

/** Null when no whole answer came. */
function followStream(stream: ClientHttp2Stream, closed: (end: RequestEnd | null) => void): void {
	let answer: RequestEnd | null = null
	let isWhole = false
	stream.on('response', (headers) => {
		const app = headers['x-app']
		answer = { kind: 'answered', status: headers[':status'] ?? 0, app: typeof app === 'string' ? app : null }
	})
	stream.on('end', () => {
		isWhole = true
	})
	// 'close' follows every error.
	stream.on('error', () => {})
	stream.on('close', () => closed(isWhole && stream.rstCode === constants.NGHTTP2_NO_ERROR ? answer : null))
	stream.resume()
}
