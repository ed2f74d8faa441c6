// Frames of HTTP/2 (RFC 9113) written by hand, so that what no library would send can be sent. Headers are literals that
// are never indexed (RFC 7541 6.2.2).

export const frameTypes = {
	data: 0,
	headers: 1,
	priority: 2,
	reset: 3,
	settings: 4,
	ping: 6,
	goAway: 7,
	windowUpdate: 8,
	continuation: 9,
} as const
export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const
export const settingInitialWindow = 4
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const headBytes = 9
export const largestWindow = 0x7fffffff
const defaultWindow = 65_535

export type FrameParts = { readonly flag?: number; readonly payload?: Uint8Array; readonly stream?: number }

export function frame(type: number, { flag = 0, payload = new Uint8Array(), stream = 0 }: FrameParts = {}): Buffer {
	const head = Buffer.alloc(headBytes)
	head.writeUIntBE(payload.length, 0, 3)
	head[3] = type
	head[4] = flag
	head.writeUInt32BE(stream, 5)
	return Buffer.concat([head, payload])
}

export function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4)
	bytes.writeUInt32BE(value)
	return bytes
}

export function settings(values: Readonly<Record<number, number>>): Buffer {
	const payload = Object.entries(values).map(([id, value]) => Buffer.concat([Buffer.of(0, Number(id)), uint32(value)]))
	return frame(frameTypes.settings, { payload: Buffer.concat(payload) })
}

/** What a client begins with. `window`: how much each stream, and all together, may be sent unasked. */
export function opening(window: number): Buffer {
	const more =
		window > defaultWindow ? [frame(frameTypes.windowUpdate, { payload: uint32(window - defaultWindow) })] : []
	return Buffer.concat([preface, settings({ [settingInitialWindow]: window }), ...more])
}

export function headerBlock(headers: readonly (readonly [string, string])[]): Buffer {
	return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), headerText(name), headerText(value)]))
}

/** The headers of a gRPC call. */
export function callHeaders(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
	return headerBlock([
		[':method', 'POST'],
		[':scheme', 'http'],
		[':path', path],
		[':authority', 'xds'],
		['content-type', 'application/grpc'],
		['te', 'trailers'],
		...more,
	])
}

export function openStream(stream: number, headers: Uint8Array): Buffer {
	return frame(frameTypes.headers, { flag: flags.endHeaders, payload: headers, stream })
}

/** A gRPC message with its prefix. */
export function grpcMessage(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
	return Buffer.concat([Buffer.of(compressed), uint32(length), message])
}

/** A string of HPACK, without Huffman coding. */
function headerText(value: string): Buffer {
	const bytes = Buffer.from(value)
	if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
	const length: number[] = [127]
	let left = bytes.length - 127
	for (; left > 127; left = Math.floor(left / 128)) length.push((left % 128) | 128)
	return Buffer.concat([Buffer.of(...length, left), bytes])
}
