/** Randomness, as a port: a number in [0, 1). Used for jitter only; no decision depends on it. */
export type Random = () => number

/** Mulberry32: a small seeded generator, for the simulator and for tests that print their seed. */
export function seededRandom(seed: number): Random {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
	}
}
