import { connect, type Socket } from 'node:net'

// gRPC calls on a connection of their own, by HTTP/2 frames written by hand: of a response nothing is looked at but the
// messages, so that thousands of them cost next to nothing beside the server under test.
// RFC 9113 for the frames; requests' headers are literals that are never indexed (RFC 7541 6.2.2).

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
	/** One of the calls, or the connection, has ended. Not called after `close`. */
	readonly onEnd: (why: string) => void
}

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const
const flags = { endStream: 1, ack: 1, endHeaders: 4 } as const
const settingInitialWindow = 4
const headBytes = 9
const prefixBytes = 5
const maxFrameBytes = 16_384
const defaultWindow = 65_535
/** As large as can be: nothing that a server sends ever waits for this client to grant it room. */
const ownWindow = 0x7fffffff

const opening = Buffer.concat([
	Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
	frame(frameTypes.settings, { payload: setting(settingInitialWindow, ownWindow), stream: 0 }),
	frame(frameTypes.windowUpdate, { payload: uint32(ownWindow - defaultWindow), stream: 0 }),
])

type Stream = {
	readonly id: number
	readonly messages: MessageReader
	/** What the server has room for, and what waits for more. */
	window: number
	readonly waiting: Buffer[]
}

export function openConnection({ port, onEnd }: ConnectionOptions): Http2Connection {
	const socket: Socket = connect(port, '127.0.0.1')
	let isOpen = true
	let rest: Buffer | null = null
	let connectionWindow = defaultWindow
	let initialWindow = defaultWindow
	/** In the order of their ids: 1, 3, 5 … */
	const streams: Stream[] = []

	socket.setNoDelay(true)
	socket.write(opening)
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
				streamOf(stream)?.messages.take(payload)
				return
			case frameTypes.headers:
				if ((flag & flags.endStream) !== 0) end('the server ended the call')
				return
			case frameTypes.settings:
				if ((flag & flags.ack) !== 0) return
				takeSettings(payload)
				socket.write(frame(frameTypes.settings, { flag: flags.ack, payload: Buffer.alloc(0), stream: 0 }))
				return
			case frameTypes.ping:
				if ((flag & flags.ack) === 0) socket.write(frame(frameTypes.ping, { flag: flags.ack, payload, stream: 0 }))
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

	return {
		call(path, onMessage) {
			const id = 2 * streams.length + 1
			const messages = createMessageReader(onMessage)
			const stream: Stream = { id, messages, window: initialWindow, waiting: [] }
			streams.push(stream)
			socket.write(requestHead(path, { port, stream: id }))
			return {
				send(message) {
					const prefixed = Buffer.allocUnsafe(prefixBytes + message.length)
					prefixed[0] = 0
					prefixed.writeUInt32BE(message.length, 1)
					prefixed.set(message, prefixBytes)
					stream.waiting.push(prefixed)
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

type MessageReader = { take(payload: Buffer): void }

/** Puts messages together from the payloads of DATA frames. */
function createMessageReader(onMessage: (message: Buffer) => void): MessageReader {
	let parts: Buffer[] = []
	let received = 0
	/** Of the message with its prefix; 0 while the prefix is not here. */
	let wanted = 0
	return {
		take(payload) {
			let left = payload
			while (left.length > 0) {
				if (wanted === 0) {
					// A prefix may be cut, by what is before it in a frame.
					const head = Buffer.concat([...parts, left])
					parts = []
					received = 0
					if (head.length < prefixBytes) {
						parts.push(head)
						received = head.length
						return
					}
					wanted = prefixBytes + head.readUInt32BE(1)
					left = head
				}
				const part = left.subarray(0, wanted - received)
				parts.push(part)
				received += part.length
				left = left.subarray(part.length)
				if (received < wanted) return
				const whole = parts.length === 1 ? part : Buffer.concat(parts)
				parts = []
				received = 0
				wanted = 0
				onMessage(whole.subarray(prefixBytes))
			}
		},
	}
}

function requestHead(path: string, { port, stream }: { port: number; stream: number }): Buffer {
	const headers = [
		[':method', 'POST'],
		[':scheme', 'http'],
		[':path', path],
		[':authority', `127.0.0.1:${port}`],
		['content-type', 'application/grpc'],
		['te', 'trailers'],
	] as const
	const payload = Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
	return frame(frameTypes.headers, { flag: flags.endHeaders, payload, stream })
}

/** A string of HPACK, without Huffman coding; all are shorter than 127. */
function text(value: string): Buffer {
	return Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
}

type FrameParts = { readonly flag?: number; readonly payload: Uint8Array; readonly stream: number }

function frame(type: number, { flag = 0, payload, stream }: FrameParts): Buffer {
	const bytes = Buffer.allocUnsafe(headBytes + payload.length)
	bytes.writeUIntBE(payload.length, 0, 3)
	bytes[3] = type
	bytes[4] = flag
	bytes.writeUInt32BE(stream, 5)
	bytes.set(payload, headBytes)
	return bytes
}

function setting(id: number, value: number): Buffer {
	return Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)])
}

function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4)
	bytes.writeUInt32BE(value)
	return bytes
}
