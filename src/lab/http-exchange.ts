import { createServer as createHttp1Server } from 'node:http'
import {
	constants,
	createServer as createHttp2Server,
	type IncomingHttpHeaders,
	type ServerHttp2Stream,
} from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'

/** One request and the ways to answer it, the same for HTTP/1.1 and HTTP/2. */
export type HttpExchange = {
	readonly method: string
	/** With the query. */
	readonly path: string
	/** Names in lower case; the host under `host`, whatever the protocol. */
	readonly headers: Readonly<Record<string, string>>
	readonly protocol: 'http1' | 'http2'
	/** Does nothing when the client has gone meanwhile. Trailers are HTTP/2's only. */
	answer(
		status: number,
		headers: Readonly<Record<string, string>>,
		body: string,
		trailers?: Readonly<Record<string, string>>,
	): void
	/** Ends it without an answer: a stream reset, or a connection reset. */
	reset(): void
}

/**
 * A TCP server that speaks HTTP/2 with prior knowledge and HTTP/1.1 on the same port, without TLS, so that both Envoy
 * and a plain `curl` can talk to it. Not listening yet. Request bodies are read and dropped; an upgraded connection gets
 * back what it sends.
 */
export function createExchangeServer(receive: (exchange: HttpExchange) => void): Server {
	const http2 = createHttp2Server()
	http2.on('stream', (stream, headers) => {
		// A stream that the client cancels reports it here; the client knows, and nobody else needs to.
		stream.on('error', () => {})
		stream.resume()
		receive(http2Exchange(stream, headers))
	})
	const http1 = createHttp1Server((request, response) => {
		request.resume()
		receive({
			method: request.method ?? '',
			path: request.url ?? '',
			headers: plainHeaders(request.headers),
			protocol: 'http1',
			answer(status, headers, body) {
				if (!response.destroyed) response.writeHead(status, headers).end(body)
			},
			reset: () => void request.socket.resetAndDestroy(),
		})
	})
	http1.on('upgrade', (request, socket) => {
		socket.write(
			`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${request.headers.upgrade}\r\n\r\n`,
		)
		socket.pipe(socket)
		socket.on('error', () => socket.destroy())
	})
	return createServer({ noDelay: true }, (socket) => {
		// A client that goes away is its own business.
		socket.on('error', () => socket.destroy())
		routeByPreface(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket))
	})
}

function http2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): HttpExchange {
	const host = headers[':authority'] ?? headers.host
	return {
		method: headers[':method'] ?? '',
		path: headers[':path'] ?? '',
		headers: { ...plainHeaders(headers), ...(host === undefined ? {} : { host }) },
		protocol: 'http2',
		answer(status, answered, body, trailers) {
			if (stream.destroyed || stream.closed) return
			stream.respond({ ':status': status, ...answered }, { waitForTrailers: trailers !== undefined })
			if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers))
			stream.end(body)
		},
		reset: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
	}
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
	const plain = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
	return Object.fromEntries(plain.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : `${value}`]))
}

/** An HTTP/2 connection begins with `PRI * HTTP/2.0` (RFC 9113 §3.4); no HTTP/1.1 method begins with these letters. */
function routeByPreface(socket: Socket, route: (isHttp2: boolean) => void): void {
	function look(): void {
		const start: Buffer | null = socket.read(3)
		if (start === null) {
			socket.once('readable', look)
			return
		}
		socket.unshift(start)
		route(start.toString('latin1') === 'PRI')
	}
	socket.once('readable', look)
}
