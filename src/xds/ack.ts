import { limits } from '#base/limits.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import { sendOrder } from './order.ts'
import type { Variant } from './request.ts'
import type { Subscription } from './subscription.ts'

// Nearly every request accepts a response and says nothing new. In state of the world it repeats all names, of which
// there may be thousands: they are compared as bytes, and read only when they differ.
// Field numbers are those of envoy/service/discovery/v3/discovery.proto.

/** A request that has no node, no refusal and no change of a delta subscription. It may still name other resources. */
export type Ack = {
	readonly typeUrl: TypeUrl
	readonly nonce: string
	/** State of the world: the fields of the names, tags and all; empty in delta. */
	readonly names: Uint8Array
}

const fields = {
	delta: { typeUrl: 2, nonce: 6, version: -1, names: -1 },
	stateOfTheWorld: { typeUrl: 4, nonce: 5, version: 1, names: 3 },
} as const
const lengthDelimited = 2
const none = new Uint8Array()

/** Null for any other request, and for what is none: who reads all of it finds out. */
export function readAck(variant: Variant, bytes: Uint8Array): Ack | null {
	const field = fields[variant]
	let typeUrl: TypeUrl | null = null
	let nonce = ''
	let namesFrom = -1
	let namesTo = -1
	let at = 0
	let count = 0
	while (at < bytes.length) {
		count += 1
		if (count > limits.xdsRequestFields) return null
		const from = at
		const tag = bytes[at] ?? 0
		at += 1
		if ((tag & 0x87) !== lengthDelimited) return null
		let length = 0
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[at]
			if (byte === undefined || shift > 21) return null
			at += 1
			length |= (byte & 0x7f) << shift
			if (byte < 0x80) break
		}
		const to = at + length
		if (to > bytes.length) return null
		const number = tag >> 3
		if (number === field.names) {
			// Of one piece, or it could not be compared as one.
			if (namesTo !== -1 && namesTo !== from) return null
			if (namesFrom === -1) namesFrom = from
			namesTo = to
		} else if (number === field.typeUrl) typeUrl = typeIn(bytes, at, to)
		else if (number === field.nonce) nonce = textOf(bytes, at, to)
		else if (number !== field.version) return null
		at = to
	}
	if (typeUrl === null) return null
	return { typeUrl, nonce, names: namesFrom === -1 ? none : bytes.subarray(namesFrom, namesTo) }
}

/** What is asked for already, and how it was written. */
type Asked = { readonly subscription: Subscription | null; readonly writtenNames: Uint8Array | null }

/** Whether it asks for just what is asked for. Not known where names are in another order. */
export function asksTheSame({ subscription, writtenNames }: Asked, { names }: Ack, variant: Variant): boolean {
	if (subscription === null) return false
	return variant === 'delta' || (writtenNames !== null && isSameNames(writtenNames, names))
}

const served = sendOrder.map((typeUrl) => ({ typeUrl, bytes: Buffer.from(typeUrl) }))

/** The one of our own: a text that was read would have to be hashed to find anything by it. */
function typeIn(bytes: Uint8Array, from: number, to: number): TypeUrl | null {
	for (const known of served) {
		if (known.bytes.length === to - from && known.bytes.compare(bytes, from, to) === 0) return known.typeUrl
	}
	return null
}

/** What is compared with texts of ours, which are ASCII. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
	return viewOf(bytes).toString('latin1', from, to)
}

/** The names of a subscription as the first that asked for it wrote them: most others write the same. */
const written = new WeakMap<Subscription, Uint8Array>()

/** The bytes to keep of names that were read: shared where another stream wrote them alike. Null: too long to keep. */
export function keptNames(subscription: Subscription, names: Uint8Array): Uint8Array | null {
	const known = written.get(subscription)
	if (known !== undefined && isSameNames(known, names)) return known
	if (known !== undefined && names.length > limits.xdsNamesKeptBytes) return null
	// A copy: the message that they came in is larger, and is let go of.
	const kept = Uint8Array.from(names)
	if (known === undefined) written.set(subscription, kept)
	return kept
}

export function isSameNames(left: Uint8Array, right: Uint8Array): boolean {
	return left.length === right.length && viewOf(left).equals(right)
}

function viewOf(bytes: Uint8Array): Buffer {
	return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
