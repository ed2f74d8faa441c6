// Logarithms as the state keeps them: a rollout has hundreds, and they are written down with each look. In units of
// 0.0001, rounded down so that what is dropped is never evidence, 24 bits each, in base64.

export type PackedLogs = string

const unitsPerLog = 10_000
/** What the product of a kept number may be below the units that it was kept as. */
const rounding = 1e-6
/** Also for what is below all that fits, -838: that much against a bet is no less than the end of it. */
const minusInfinity = -(2 ** 23)
const bytesPerLog = 3

export function packLogs(logs: readonly number[]): PackedLogs {
	const bytes = logs.flatMap((log) => {
		const units = Math.max(Math.floor(log * unitsPerLog + rounding), minusInfinity)
		return [units >> 16, units >> 8, units].map((part) => part & 0xff)
	})
	return btoa(String.fromCharCode(...bytes))
}

export function unpackLogs(packed: PackedLogs): number[] {
	const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0))
	return Array.from({ length: bytes.length / bytesPerLog }, (_, index) => {
		const [high = 0, middle = 0, low = 0] = bytes.subarray(index * bytesPerLog)
		// The sign is in the highest byte.
		const units = ((high << 24) | (middle << 16) | (low << 8)) >> 8
		return units === minusInfinity ? -Infinity : units / unitsPerLog
	})
}
