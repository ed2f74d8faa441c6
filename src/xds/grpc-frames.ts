import { createPieces } from './pieces.ts'

// How messages lie on the stream of a gRPC call: a byte that says whether it is compressed, its length in four, itself.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const prefixBytes = 5

/** Of one call, in the pieces that it comes in. */
export type MessageReader = {
	/**
	 * Hands on each message that is whole by now; the bytes are `message`'s until that returns. Not to be called after a
	 * fault.
	 */
	read(piece: Buffer, message: (bytes: Buffer) => void): FramingFault | null
	/** A message has begun that is not whole. */
	isWithinMessage(): boolean
}

export type FramingFault = { readonly kind: 'compressed' } | { readonly kind: 'tooLarge'; readonly bytes: number }

export function createMessageReader(maxBytes: number): MessageReader {
	const held = createPieces()
	let neededBytes = prefixBytes

	function read(piece: Buffer, message: (bytes: Buffer) => void): FramingFault | null {
		if (held.bytes() + piece.length < neededBytes) {
			held.add(piece)
			return null
		}
		// Pieces are put together only once what is waited for is there: a message in many of them is copied once or twice.
		const isWhole = held.bytes() === 0
		const all = isWhole ? piece : held.takeWith(piece)
		let at = 0
		neededBytes = prefixBytes
		while (all.length - at >= prefixBytes) {
			const length = all.readUInt32BE(at + 1)
			if (all[at] !== 0) return { kind: 'compressed' }
			if (length > maxBytes) return { kind: 'tooLarge', bytes: length }
			neededBytes = prefixBytes + length
			if (all.length - at < neededBytes) break
			message(all.subarray(at + prefixBytes, at + neededBytes))
			at += neededBytes
			neededBytes = prefixBytes
		}
		if (at < all.length) held.add(isWhole ? all.subarray(at) : Buffer.from(all.subarray(at)))
		return null
	}

	return { read, isWithinMessage: () => held.bytes() > 0 }
}

/** A message as it goes over the wire. */
export function frameOf(message: Uint8Array): Buffer {
	const frame = Buffer.allocUnsafe(prefixBytes + message.length)
	frame[0] = 0
	frame.writeUInt32BE(message.length, 1)
	frame.set(message, prefixBytes)
	return frame
}
