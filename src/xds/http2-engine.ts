import {
	constants,
	type IncomingHttpHeaders,
	type OutgoingHttpHeaders,
	performServerHandshake,
	type ServerHttp2Session,
	type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { CallStatus, Connection, GrpcService } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { afterTurns, turnsToReset } from './after-turns.ts'
import type { CallWire, GrpcEngine, OpenService } from './grpc-engine.ts'
import { createMessageReader, type FramingFault, frameOf } from './grpc-frames.ts'
import { type KeptPeer, keepAlive } from './keepalive.ts'

// gRPC on Node's own HTTP/2: a message that goes to many is framed once and copied never, and between it and the socket
// there is one stream of JavaScript less than under grpc-js.

const sessionOptions = {
	settings: {
		maxConcurrentStreams: limits.xdsStreamsPerConnection,
		maxHeaderListSize: limits.xdsHeaderBytes,
		enablePush: false,
		// Whatever comes is read at once, so that a window holds nothing back. To open it again costs a write each time.
		initialWindowSize: limits.xdsWindowBytes,
	},
	// What waits for a slow peer is bounded by the streams themselves. Beyond this bound Node would refuse a second
	// stream of a proxy that is just being sent all of a large mesh.
	maxSessionMemory: Number.MAX_SAFE_INTEGER,
}

type Status = { readonly code: CallStatus['code'] | 'UNIMPLEMENTED' | 'INTERNAL'; readonly message: string }

const statusNumbers: Readonly<Record<Status['code'], number>> = {
	OK: 0,
	INVALID_ARGUMENT: 3,
	DEADLINE_EXCEEDED: 4,
	NOT_FOUND: 5,
	PERMISSION_DENIED: 7,
	RESOURCE_EXHAUSTED: 8,
	UNIMPLEMENTED: 12,
	INTERNAL: 13,
	UNAVAILABLE: 14,
	UNAUTHENTICATED: 16,
}

export function createHttp2Engine(services: readonly GrpcService[]): GrpcEngine {
	const serviceOf = new Map(services.map((service) => [service.path, service]))
	const sessions = new Map<number, ServerHttp2Session>()
	const framed = createFrames()

	function serve({ id }: Connection, socket: Socket, open: OpenService): void {
		const session = performServerHandshake(socket, sessionOptions)
		sessions.set(id, session)
		session.setLocalWindowSize(limits.xdsWindowBytes)
		// An answer takes the machine's own time, whatever clock the rest goes by.
		const stopAsking = keepAlive(peerOf(session, socket), systemClock)
		session.on('stream', (stream, headers) => begin(stream, headers, open))
		// Its close follows, whatever it was.
		session.on('error', () => undefined)
		session.once('close', () => {
			stopAsking()
			sessions.delete(id)
			socket.destroy()
		})
	}

	function begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, open: OpenService): void {
		// Its close follows.
		stream.on('error', () => undefined)
		const service = chooseService(headers)
		if (!service.ok) return refuse(stream, service.error)
		const wire = wireOf(stream, headers.authorization ?? null)
		const reader = createMessageReader(limits.xdsMessageBytes)
		const call = open(service.value, wire)
		stream.on('data', (piece: Buffer) => {
			if (stream.writableEnded) return
			const fault = reader.read(piece, call.receive)
			if (fault !== null) breakOff(statusOfFault(fault))
		})
		stream.on('end', () => afterTurns(turnsToReset, ended))
		stream.once('close', call.cancelled)

		function ended(): void {
			if (stream.closed) call.cancelled()
			else if (reader.isWithinMessage()) breakOff({ code: 'INTERNAL', message: 'the stream ends within a message' })
			else call.halfClosed()
		}

		function breakOff(status: Status): void {
			call.cancelled()
			finish(stream, status)
		}
	}

	function wireOf(stream: ServerHttp2Stream, authorization: string | null): CallWire {
		return {
			authorization,
			write(message, written) {
				if (stream.destroyed) return
				if (!stream.headersSent) stream.respond(responseHeaders, { waitForTrailers: true })
				stream.write(framed(message), (error) => {
					if (!error) written()
				})
			},
			end: (status) => finish(stream, status),
		}
	}

	function chooseService(headers: IncomingHttpHeaders): Result<GrpcService, OutgoingHttpHeaders> {
		if (headers[':method'] !== 'POST') return fail({ ':status': constants.HTTP_STATUS_METHOD_NOT_ALLOWED })
		if (!/^application\/grpc(?:$|[+;])/.test(headers['content-type'] ?? '')) {
			return fail({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE })
		}
		const path = headers[':path'] ?? ''
		const service = serviceOf.get(path)
		if (service !== undefined) return succeed(service)
		const unknown = { code: 'UNIMPLEMENTED', message: `there is no method ${path.slice(0, mostPathChars)}` } as const
		return fail({ ...responseHeaders, ...trailersOf(unknown) })
	}

	return {
		serve,
		retire: ({ id }) => sessions.get(id)?.close(),
		stop: () => undefined,
	}
}

const mostPathChars = 200
const responseHeaders = { ':status': constants.HTTP_STATUS_OK, 'content-type': 'application/grpc' }

function refuse(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
	if (stream.destroyed) return
	stream.respond(headers, { endStream: true })
	leave(stream)
}

/** The call has ended for us; what was written before arrives before its status. */
function finish(stream: ServerHttp2Stream, status: Status): void {
	if (stream.destroyed || stream.writableEnded) return
	if (!stream.headersSent) return refuse(stream, { ...responseHeaders, ...trailersOf(status) })
	stream.once('wantTrailers', () => {
		stream.sendTrailers(trailersOf(status))
		leave(stream)
	})
	stream.end()
}

/** Who goes on sending, or never ends its side, must not keep the stream. The status is on its way a turn later. */
function leave(stream: ServerHttp2Stream): void {
	stream.resume()
	setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}

function trailersOf({ code, message }: Status): OutgoingHttpHeaders {
	return { 'grpc-status': statusNumbers[code], ...(message === '' ? {} : { 'grpc-message': percentEncoded(message) }) }
}

function percentEncoded(message: string): string {
	const plain = /[\x20-\x24\x26-\x7e]/
	return Array.from(message.toWellFormed(), (char) => (plain.test(char) ? char : encodeURIComponent(char))).join('')
}

function statusOfFault(fault: FramingFault): Status {
	if (fault.kind === 'compressed') return { code: 'UNIMPLEMENTED', message: 'messages must not be compressed' }
	const message = `a message of ${fault.bytes} bytes is larger than ${limits.xdsMessageBytes}`
	return { code: 'RESOURCE_EXHAUSTED', message }
}

/** A response that goes to many streams is one frame for all of them. */
function createFrames(): (message: Uint8Array) => Buffer {
	const known = new WeakMap<Uint8Array, Buffer>()
	return (message) => {
		let frame = known.get(message)
		if (frame === undefined) {
			frame = frameOf(message)
			known.set(message, frame)
		}
		return frame
	}
}

function peerOf(session: ServerHttp2Session, socket: Socket): KeptPeer {
	return {
		bytesRead: () => socket.bytesRead,
		ping(answered) {
			if (session.destroyed) return void socket.destroy()
			session.ping((error) => {
				if (error === null) answered()
			})
		},
		cut: () => void socket.destroy(),
	}
}
