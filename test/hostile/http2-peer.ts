import { connect } from 'node:net'
import { createMessageReader } from '#xds/grpc-frames.ts'
import { callHeaders, flags, frame, frameTypes, headBytes, openStream } from '../fixtures/http2-frames.ts'

/** One connection whose bytes are the caller's. It answers settings and pings, and puts messages together. */
export type Http2Peer = {
	readonly isClosed: boolean
	write(bytes: Uint8Array): void
	/** Bytes that have not left this process. */
	readonly unwritten: number
	/** Opens a gRPC call, and gives its stream's number. */
	open(path: string, told?: (message: Buffer) => void, headers?: readonly (readonly [string, string])[]): number
	/** Reads nothing from now on, as a process that hangs does. */
	pause(): void
	destroy(): void
}

export function connectHttp2(port: number, begin: Uint8Array, onEnd: (why: string) => void = () => {}): Http2Peer {
	const socket = connect(port, '127.0.0.1')
	const told = new Map<number, (payload: Buffer) => void>()
	let rest: Buffer = Buffer.alloc(0)
	let nextStream = 1
	let isClosed = false
	socket.setNoDelay(true)
	socket.write(begin)
	socket.on('data', receive)
	socket.on('error', () => {})
	socket.on('close', () => {
		isClosed = true
		onEnd('the connection was closed')
	})

	function receive(chunk: Buffer): void {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
		while (rest.length >= headBytes) {
			const end = headBytes + rest.readUIntBE(0, 3)
			if (rest.length < end) return
			const [type, flag, stream] = [rest[3] ?? 0, rest[4] ?? 0, rest.readUInt32BE(5)]
			const payload = rest.subarray(headBytes, end)
			rest = rest.subarray(end)
			take(type, { flag, stream, payload })
		}
	}

	function take(type: number, { flag, stream, payload }: { flag: number; stream: number; payload: Buffer }): void {
		if (type === frameTypes.data) told.get(stream)?.(payload)
		else if (type === frameTypes.settings && (flag & flags.ack) === 0) {
			socket.write(frame(frameTypes.settings, { flag: flags.ack }))
		} else if (type === frameTypes.ping && (flag & flags.ack) === 0) {
			socket.write(frame(frameTypes.ping, { flag: flags.ack, payload }))
		} else if (type === frameTypes.reset || type === frameTypes.goAway) onEnd(`the server sent frame ${type}`)
		else if (type === frameTypes.headers && (flag & flags.endStream) !== 0) onEnd('the server ended a call')
	}

	return {
		get isClosed() {
			return isClosed
		},
		get unwritten() {
			return socket.writableLength
		},
		write(bytes) {
			if (!isClosed) socket.write(bytes)
		},
		open(path, take, headers = []) {
			const stream = nextStream
			nextStream += 2
			const reader = createMessageReader(Number.POSITIVE_INFINITY)
			if (take !== undefined) told.set(stream, (payload) => void reader.read(payload, take))
			socket.write(openStream(stream, callHeaders(path, headers)))
			return stream
		},
		pause: () => void socket.pause(),
		destroy: () => void socket.destroy(),
	}
}
