import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import type { Log } from '#base/log.ts'
import type { Result } from '#base/result.ts'
import type { StoreFailure } from './store.ts'

// Room kept beside the database for the worst moment: a way back that must be journalled while the disk is full.

export type SpaceReserve = {
	/** Takes the room if it is not held. No room is no failure: what is there is used without a reserve. */
	hold(): void
	/** Gives the room to whoever writes next. False when none was held. */
	release(): boolean
}

/** A reserve of `bytes` in the file at `path`. Call `hold` to take it. */
export function createSpaceReserve(options: { path: string; bytes: number; log: Log }): SpaceReserve {
	const { path, bytes, log } = options
	let told: 'nothing' | 'missing' = 'nothing'

	return {
		hold() {
			if (sizeOf(path) === bytes) return
			const failure = writeFiller(path, bytes)
			if (failure === null) {
				if (told === 'missing') log.info('store.reserve.held', { bytes })
				told = 'nothing'
			} else if (told === 'nothing') {
				log.warn('store.reserve.missing', { bytes, reason: failure })
				told = 'missing'
			}
		},
		release() {
			if (sizeOf(path) === 0) return false
			rmSync(path, { force: true })
			log.warn('store.reserve.released', { bytes })
			told = 'missing'
			return true
		},
	}
}

/**
 * Runs `attempt`. When it fails for want of space, gives it the reserve and runs it once more; after a success takes
 * the reserve again, so that it is there for the next time as soon as space is.
 */
export function writeWithReserve<Value>(
	attempt: () => Result<Value, StoreFailure>,
	reserve: SpaceReserve,
): Result<Value, StoreFailure> {
	const first = attempt()
	if (first.ok) reserve.hold()
	if (first.ok || first.error.code !== 'full' || !reserve.release()) return first
	// Not held again right after: the room that was just given is what the next commits live on.
	return attempt()
}

/** Random bytes, synced: a hole or zeros would take no room on a file system that compresses. */
function writeFiller(path: string, bytes: number): string | null {
	try {
		const file = openSync(path, 'w', 0o600)
		try {
			const filler = randomBytes(bytes)
			for (let written = 0; written < bytes; ) written += writeSync(file, filler, written)
			fsyncSync(file)
		} finally {
			closeSync(file)
		}
		return null
	} catch (error) {
		rmSync(path, { force: true })
		return error instanceof Error ? error.message : String(error)
	}
}

function sizeOf(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
