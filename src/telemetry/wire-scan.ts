// Protobuf's wire format, read where it lies: no object for a nested message, no string for a name. Every function moves
// the scan on, and throws where the bytes end too early or are no field. As `base/bounded-reader.ts` it is for messages of
// those who may mean harm: there is a budget of fields, and no message of Envoy's has a group.
// https://protobuf.dev/programming-guides/encoding/

/** A place in a message, and where the message that it is in ends. */
export type WireScan = {
	bytes: Uint8Array
	view: DataView
	at: number
	end: number
	/** How many fields may still be read, nested ones among them. */
	fieldsLeft: number
}

const mostVarintBytes = 10

/** @param mostFields in all that lies in it */
export function scanOf(bytes: Uint8Array, mostFields: number): WireScan {
	return { bytes, view: viewOf(bytes), at: 0, end: bytes.length, fieldsLeft: mostFields }
}

/** The same scan, for other bytes. */
export function scanAnew(scan: WireScan, bytes: Uint8Array, mostFields: number): void {
	scan.bytes = bytes
	scan.view = viewOf(bytes)
	scan.at = 0
	scan.end = bytes.length
	scan.fieldsLeft = mostFields
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Number and wire type of the next field, as they are written: number times eight, plus type. */
export function readTag(scan: WireScan): number {
	scan.fieldsLeft -= 1
	if (scan.fieldsLeft < 0) throw new Error('more fields than a message may have')
	const { at } = scan
	const tag = readUint32(scan)
	if (tag < 8 || (tag & 7) > 5) throw new Error(`there is no field ${tag >>> 3} of wire type ${tag & 7}`)
	if (scan.at - at >= mostTagBytes) checkLongTag(scan, at)
	return tag
}

const mostTagBytes = 5

/** The last of five bytes has four bits of the 32. */
function checkLongTag({ bytes, at }: WireScan, from: number): void {
	if (at - from > mostTagBytes || (bytes[at - 1] ?? 0) > 0x0f) throw new Error('a tag is too large')
}

/** Passes over the field whose tag was just read. */
export function skipField(scan: WireScan, tag: number): void {
	switch (tag & 7) {
		case 0:
			while (nextByte(scan) >= 0x80);
			return
		case 1:
			return move(scan, 8)
		case 2:
			return move(scan, readUint32(scan))
		case 5:
			return move(scan, 4)
		default:
			throw new Error(`field ${tag >>> 3} is a group`)
	}
}

/** Goes into a nested message, or over a text. What it returns is to be given to `leave` at the end of that. */
export function enter(scan: WireScan): number {
	const length = readUint32(scan)
	const outerEnd = scan.end
	if (scan.at + length > outerEnd) throw new Error('the message ends too early')
	scan.end = scan.at + length
	return outerEnd
}

/** To the end of the nested message, wherever in it the scan is. */
export function leave(scan: WireScan, outerEnd: number): void {
	scan.at = scan.end
	scan.end = outerEnd
}

/** Passes over a text, or a nested message, and answers where it begins. It ends where the scan is then. */
export function passText(scan: WireScan): number {
	const length = readUint32(scan)
	const from = scan.at
	move(scan, length)
	return from
}

export function readDouble(scan: WireScan): number {
	const { at } = scan
	move(scan, 8)
	return scan.view.getFloat64(at, true)
}

/** A varint of at most 32 bits. Higher ones are dropped, as every reader of the format does. */
export function readUint32(scan: WireScan): number {
	// Nearly all of them are short. What is longer lies in a function of its own, so that this one is part of its callers.
	const byte = scan.at < scan.end ? (scan.bytes[scan.at] ?? 0) : 0x80
	if (byte >= 0x80) return readLongUint32(scan)
	scan.at += 1
	return byte
}

function readLongUint32(scan: WireScan): number {
	let value = 0
	for (let shift = 0; shift < 7 * mostVarintBytes; shift += 7) {
		const byte = nextByte(scan)
		if (shift < 32) value |= (byte & 0x7f) << shift
		if (byte < 0x80) return value >>> 0
	}
	throw new Error('a number is too long')
}

/** A varint of 64 bits, as the nearest number that there is. */
export function readInt64(scan: WireScan): number {
	return readVarint64(scan, 'signed')
}

/** As `readInt64`, without a sign. */
export function readUint64(scan: WireScan): number {
	return readVarint64(scan, 'unsigned')
}

function readVarint64(scan: WireScan, sign: 'signed' | 'unsigned'): number {
	let low = 0
	let high = 0
	for (let shift = 0; shift < 7 * mostVarintBytes; shift += 7) {
		const byte = nextByte(scan)
		const bits = byte & 0x7f
		if (shift < 32) low |= bits << shift
		if (shift === 28) high = bits >>> 4
		else if (shift > 28) high |= bits << (shift - 32)
		if (byte < 0x80) return (sign === 'signed' ? high : high >>> 0) * 2 ** 32 + (low >>> 0)
	}
	throw new Error('a number is too long')
}

function nextByte(scan: WireScan): number {
	if (scan.at >= scan.end) throw new Error('the message ends too early')
	const byte = scan.bytes[scan.at] ?? 0
	scan.at += 1
	return byte
}

function move(scan: WireScan, length: number): void {
	if (scan.at + length > scan.end) throw new Error('the message ends too early')
	scan.at += length
}
