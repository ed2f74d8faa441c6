// The hash by which Envoy draws: XXH64 with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).

const mask = (1n << 64n) - 1n
const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

export function xxHash64(text: string): bigint {
	const bytes = new TextEncoder().encode(text)
	const view = new DataView(bytes.buffer)
	let at = 0
	let hash = prime5
	if (bytes.length >= 32) {
		let lanes = [prime1 + prime2, prime2, 0n, -prime1].map((lane) => lane & mask)
		for (; at + 32 <= bytes.length; at += 32)
			lanes = lanes.map((lane, index) => round(lane, view.getBigUint64(at + 8 * index, true)))
		hash = [1, 7, 12, 18].reduce((sum, bits, index) => sum + rotate(lanes[index] ?? 0n, bits), 0n) & mask
		for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * prime1 + prime4) & mask
	}
	hash = (hash + BigInt(bytes.length)) & mask
	for (; at + 8 <= bytes.length; at += 8)
		hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27) * prime1 + prime4) & mask
	for (; at + 4 <= bytes.length; at += 4)
		hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * prime1) & mask), 23) * prime2 + prime3) & mask
	for (; at < bytes.length; at += 1)
		hash = (rotate(hash ^ ((BigInt(view.getUint8(at)) * prime5) & mask), 11) * prime1) & mask
	return avalanche(hash)
}

function round(lane: bigint, word: bigint): bigint {
	return (rotate((lane + word * prime2) & mask, 31) * prime1) & mask
}

function rotate(value: bigint, bits: number): bigint {
	return ((value << BigInt(bits)) | (value >> BigInt(64 - bits))) & mask
}

function avalanche(hash: bigint): bigint {
	const first = ((hash ^ (hash >> 33n)) * prime2) & mask
	const second = ((first ^ (first >> 29n)) * prime3) & mask
	return second ^ (second >> 32n)
}
