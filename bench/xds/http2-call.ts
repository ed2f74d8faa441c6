import { connect, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { createMessageReader, frameOf } from '#xds/grpc-frames.ts'
import {
	callHeaders,
	defaultWindow,
	flags,
	frame,
	frameTypes,
	headBytes,
	largestWindow,
	opening,
	openStream,
	settingInitialWindow,
} from '../../test/fixtures/http2-frames.ts'
import { serverName } from './credentials.ts'

// gRPC calls on a connection of their own, by HTTP/2 frames written by hand: of a response nothing is looked at but the
// messages, so that thousands of them cost next to nothing beside the server under test.

export type Http2Call = {
	send(message: Uint8Array): void
	/** What the server has not had room for yet, in messages. */
	waiting(): number
	/** Of the connection, with all of its calls. */
	close(): void
}

export type Http2Connection = {
	call(path: string, onMessage: (message: Buffer) => void): Http2Call
}

export type ConnectionOptions = {
	readonly port: number
	/** Null: it is not encrypted. */
	readonly tls: SecureContext | null
	/** One of the calls, or the connection, has ended. Not called after `close`. */
	readonly onEnd: (why: string) => void
}

const host = '127.0.0.1'
const maxFrameBytes = 16_384

type Stream = {
	readonly id: number
	take(payload: Buffer): void
	/** What the server has room for, and what waits for more. */
	window: number
	readonly waiting: Buffer[]
}

/** What an Envoy has by `sluice bootstrap` for a connection and its handshake. */
const patienceMs = 1_000

export function openConnection({ port, tls, onEnd }: ConnectionOptions): Http2Connection {
	const socket: Socket = tls === null ? connect(port, host) : connectSecurely(port, tls)
	let isOpen = true
	let rest: Buffer | null = null
	let connectionWindow = defaultWindow
	let initialWindow = defaultWindow
	/** In the order of their ids: 1, 3, 5 … */
	const streams: Stream[] = []

	socket.setNoDelay(true)
	// Nothing that a server sends ever waits for this client to grant it room.
	socket.write(opening(largestWindow))
	socket.on('data', receive)
	socket.on('error', (error) => end(error.message))
	socket.on('close', () => end('the connection was closed'))

	function end(why: string): void {
		if (!isOpen) return
		isOpen = false
		socket.destroy()
		onEnd(why)
	}

	function receive(chunk: Buffer): void {
		const bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk])
		let at = 0
		while (isOpen && bytes.length - at >= headBytes) {
			const length = bytes.readUIntBE(at, 3)
			if (bytes.length - at - headBytes < length) break
			const payload = bytes.subarray(at + headBytes, at + headBytes + length)
			take(bytes[at + 3] ?? 0, { flag: bytes[at + 4] ?? 0, stream: bytes.readUInt32BE(at + 5), payload })
			at += headBytes + length
		}
		rest = at < bytes.length ? bytes.subarray(at) : null
	}

	function take(type: number, { flag, stream, payload }: { flag: number; stream: number; payload: Buffer }): void {
		switch (type) {
			case frameTypes.data:
				streamOf(stream)?.take(payload)
				return
			case frameTypes.headers:
				if ((flag & flags.endStream) !== 0) end('the server ended the call')
				return
			case frameTypes.settings:
				if ((flag & flags.ack) !== 0) return
				takeSettings(payload)
				socket.write(frame(frameTypes.settings, { flag: flags.ack }))
				return
			case frameTypes.ping:
				if ((flag & flags.ack) === 0) socket.write(frame(frameTypes.ping, { flag: flags.ack, payload }))
				return
			case frameTypes.windowUpdate:
				takeRoom(stream, payload.readUInt32BE(0))
				return sendAll()
			case frameTypes.reset:
				return end('the server reset the call')
			case frameTypes.goAway:
				return end('the server is going away')
			default:
		}
	}

	function streamOf(id: number): Stream | undefined {
		return streams[(id - 1) / 2]
	}

	function takeRoom(id: number, bytes: number): void {
		const stream = streamOf(id)
		if (id === 0) connectionWindow += bytes
		else if (stream !== undefined) stream.window += bytes
	}

	function takeSettings(payload: Buffer): void {
		for (let at = 0; at + 6 <= payload.length; at += 6) {
			if (payload.readUInt16BE(at) !== settingInitialWindow) continue
			const window = payload.readUInt32BE(at + 2)
			for (const stream of streams) stream.window += window - initialWindow
			initialWindow = window
		}
		sendAll()
	}

	function sendAll(): void {
		for (const stream of streams) sendWaiting(stream)
	}

	function sendWaiting(stream: Stream): void {
		for (;;) {
			const [next] = stream.waiting
			if (next === undefined) return
			const room = Math.min(next.length, maxFrameBytes, connectionWindow, stream.window)
			if (room <= 0) return
			connectionWindow -= room
			stream.window -= room
			socket.write(frame(frameTypes.data, { payload: next.subarray(0, room), stream: stream.id }))
			if (room === next.length) stream.waiting.shift()
			else stream.waiting[0] = next.subarray(room)
		}
	}

	function connectSecurely(port: number, secureContext: SecureContext): Socket {
		const socket = connectTls({ port, host, servername: serverName, secureContext, ALPNProtocols: ['h2'] })
		const tooLong = setTimeout(() => end('nobody answered in time'), patienceMs)
		return socket.once('secureConnect', () => clearTimeout(tooLong)).once('close', () => clearTimeout(tooLong))
	}

	return {
		call(path, onMessage) {
			const id = 2 * streams.length + 1
			const reader = createMessageReader(Number.POSITIVE_INFINITY)
			const take = (payload: Buffer) => void reader.read(payload, onMessage)
			const stream: Stream = { id, take, window: initialWindow, waiting: [] }
			streams.push(stream)
			socket.write(openStream(id, callHeaders(path)))
			return {
				send(message) {
					stream.waiting.push(frameOf(message))
					sendWaiting(stream)
				},
				waiting: () => stream.waiting.length,
				close() {
					isOpen = false
					socket.destroy()
				},
			}
		},
	}
}
