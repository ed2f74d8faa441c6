import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Group } from './group.ts'

/** Gives up proxies that have not come back, when their time is over. */
export type Expiry = {
	/** Somebody has left. */
	begin(): void
	stop(): void
}

export type ExpiryOptions = {
	readonly clock: Clock
	readonly groups: ReadonlyMap<string, Group>
	/** Proxies of this group were given up, or nobody has been there for so long that it can be forgotten. */
	readonly expired: (group: Group) => void
	/** It was looked at. */
	readonly passed: (group: Group) => void
}

export function createExpiry({ clock, groups, expired, passed }: ExpiryOptions): Expiry {
	let timer: Timer | null = null

	function expire(): void {
		timer = null
		const nowMs = clock.monotonicMs()
		let dueMs = Number.POSITIVE_INFINITY
		for (const group of [...groups.values()]) {
			const gone = group.expireGone(nowMs)
			if (gone.expired > 0 || group.isDeserted(nowMs)) expired(group)
			dueMs = Math.min(dueMs, gone.nextMs ?? Number.POSITIVE_INFINITY)
			passed(group)
		}
		if (Number.isFinite(dueMs)) timer = clock.setTimer(dueMs - nowMs, expire)
	}

	return {
		begin() {
			timer ??= clock.setTimer(limits.xdsGoneMs, expire)
		},
		stop: () => timer?.cancel(),
	}
}
