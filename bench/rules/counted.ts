import { type Arms, addArms, noArms } from '#guard/arms.ts'
import type { PlaceFlush } from '../../test/statistics/traffic.ts'

/** What both arms counted over all proxies: none of the other rules looks closer. */
export function armsOf(flushes: readonly PlaceFlush[]): Arms {
	return flushes.reduce<Arms>(addArms, noArms)
}

/** The share of requests that did not fail; NaN of none, as a query over no series or over 0/0 gives it. */
export function successShare({ canary }: Arms): number {
	return 1 - canary.errors / canary.requests
}
