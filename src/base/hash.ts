import { createHash } from 'node:crypto'

/** SHA-256 as 64 lower-case hex digits. The pure stages' one way to `node:crypto`. */
export function sha256Hex(input: string | Uint8Array): string {
	return createHash('sha256').update(input).digest('hex')
}

/**
 * JSON with the keys of every object in order of code units and without `undefined` members: equal values give equal
 * text. Input is plain data (no cycles, no class instances, no bigint).
 */
export function canonicalJson(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
	if (value !== null && typeof value === 'object') {
		const members = Object.entries(value)
			.filter(([, member]) => member !== undefined)
			.sort(([left], [right]) => (left < right ? -1 : 1))
			.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
		return `{${members.join(',')}}`
	}
	return JSON.stringify(value)
}

/** The hash of a plain value, whatever the order of its keys. */
export function hashValue(value: unknown): string {
	return sha256Hex(canonicalJson(value))
}
