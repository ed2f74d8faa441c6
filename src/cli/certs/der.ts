// ASN.1 in DER, as far as a certificate needs it: https://www.itu.int/rec/T-REC-X.690

/** `tag`: as it is written, e.g. 0x30 for a sequence. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(contents)
	return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

export const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents)
export const octets = (content: Uint8Array) => der(0x04, content)
export const truth = () => der(0x01, Buffer.from([0xff]))

/** The last byte lacks so many bits. */
export const bits = (content: Uint8Array, unused = 0) => der(0x03, Buffer.from([unused]), content)

/** A positive number, big end first. */
export function integer(bytes: Uint8Array): Buffer {
	const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0
	return der(0x02, Buffer.from(isNegative ? [0] : []), bytes)
}

/** `2.5.29.17`; the first two numbers are one byte. */
export function objectId(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
	return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Seconds; years before 2050 have two digits (RFC 5280 4.1.2.5). */
export function time(wallMs: number): Buffer {
	const digits = new Date(wallMs).toISOString().replace(/\.\d+Z$|[-:T]/g, '')
	return digits < '2050' ? der(0x17, Buffer.from(`${digits.slice(2)}Z`)) : der(0x18, Buffer.from(`${digits}Z`))
}

function lengthOf(length: number): number[] {
	if (length < 0x80) return [length]
	const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff]
	return [0x80 | bytes.length, ...bytes]
}

function base128(value: number): number[] {
	const low = [value & 0x7f]
	for (let rest = value >> 7; rest > 0; rest >>= 7) low.unshift((rest & 0x7f) | 0x80)
	return low
}
