// Names that are still bytes. Envoys of one fleet write the same few hundred names thousands of times a second: each is
// found by its bytes, and made a string once.

/** Values by name. */
export type ByteNames<Value> = {
	/** Undefined where the name is not known. */
	find(bytes: Uint8Array, from: number, to: number): Value | undefined
	/** The name must not be known. False, and nothing changed, where too many others look alike. */
	add(name: Uint8Array, value: Value): boolean
	size(): number
	clear(): void
}

type Entry<Value> = { readonly name: Uint8Array; readonly value: Value; readonly next: Entry<Value> | null }

/** Whoever chooses names so that they look alike makes no lookup longer than this. */
const mostAlike = 8

export function createByteNames<Value>(): ByteNames<Value> {
	const entries = new Map<number, Entry<Value>>()
	let size = 0
	return {
		find(bytes, from, to) {
			let entry = entries.get(hashOf(bytes, from, to)) ?? null
			while (entry !== null && !isAt(bytes, from, to, entry.name)) entry = entry.next
			return entry?.value
		},
		add(name, value) {
			const hash = hashOf(name, 0, name.length)
			const next = entries.get(hash) ?? null
			if (lengthOf(next) >= mostAlike) return false
			entries.set(hash, { name, value, next })
			size += 1
			return true
		},
		size: () => size,
		clear() {
			entries.clear()
			size = 0
		},
	}
}

/** Whether just these bytes are there. Names of a kind begin alike: they are looked at from their ends. */
export function isAt(bytes: Uint8Array, from: number, to: number, wanted: Uint8Array): boolean {
	if (to - from !== wanted.length) return false
	for (let index = wanted.length - 1; index >= 0; index -= 1) if (bytes[from + index] !== wanted[index]) return false
	return true
}

export function bytesOf(text: string): Uint8Array {
	return new TextEncoder().encode(text)
}

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; small enough a number for V8 to keep without a box. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
	let hash = 0x811c9dc5
	for (let index = from; index < to; index += 1) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193)
	return hash >> 2
}

function lengthOf<Value>(entry: Entry<Value> | null): number {
	let length = 0
	for (let each = entry; each !== null; each = each.next) length += 1
	return length
}
