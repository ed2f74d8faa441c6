import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'

/** Time from one turn to the next. */
export type TurnClock = {
	/** The first turn follows. Answers how long the daemon was away, by the wall clock of its last transaction (0: never). */
	begin(savedWallMs: number): number
	/** A turn begins. `jumped`: between two turns the wall clock went another way than the monotonic one. */
	pass(): { readonly elapsedMs: number; readonly wall: 'steady' | 'jumped' }
	/** Of the turn that began last. */
	monotonicMs(): number
	wallMs(): number
	/** Turns so far. */
	count(): number
}

export function createTurnClock(clock: Clock): TurnClock {
	let monotonicMs = 0
	let wallMs = 0
	let turns = 0
	return {
		begin(savedWallMs) {
			monotonicMs = clock.monotonicMs()
			wallMs = clock.wallMs()
			return savedWallMs === 0 ? 0 : Math.max(0, wallMs - savedWallMs)
		},
		pass() {
			const elapsedMs = clock.monotonicMs() - monotonicMs
			const driftMs = clock.wallMs() - wallMs - elapsedMs
			monotonicMs = clock.monotonicMs()
			wallMs = clock.wallMs()
			turns += 1
			return { elapsedMs, wall: Math.abs(driftMs) > limits.wallJumpMs ? 'jumped' : 'steady' }
		},
		monotonicMs: () => monotonicMs,
		wallMs: () => wallMs,
		count: () => turns,
	}
}
