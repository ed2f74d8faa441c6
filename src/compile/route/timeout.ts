import type { Duration } from '@bufbuild/protobuf/wkt'
import type { Timeout } from '#mesh/route-spec.ts'
import { msToDuration } from '../proto/duration.ts'

/** App Mesh's limit of a request where none is written. */
const defaultPerRequestMs = 15_000
/** Envoy's limit of a stream on which nothing moves, where none is written. */
const defaultIdleMs = 300_000

/**
 * A route's limits. The request's is always written out; the idle one only when the user did, else Envoy's five minutes
 * of a silent stream hold. App Mesh enforces both at the caller (the route's) and at the target (its listener's), so a
 * longer request needs both raised.
 */
export function routeTimeouts({ perRequestMs, idleMs }: Timeout): { timeout: Duration; idleTimeout?: Duration } {
	const timeout = msToDuration(perRequestMs ?? defaultPerRequestMs)
	return idleMs === null ? { timeout } : { timeout, idleTimeout: msToDuration(idleMs) }
}

/**
 * A limit that cuts nothing short that one of the given lets pass: what stands before them all, a gateway's way in. 0,
 * no limit, is the longest. `null` when there is nothing to stand before.
 */
export function longestTimeout(timeouts: readonly Timeout[]): Timeout | null {
	if (timeouts.length === 0) return null
	const idleMs = longest(timeouts.map((timeout) => timeout.idleMs ?? defaultIdleMs))
	return {
		perRequestMs: longest(timeouts.map((timeout) => timeout.perRequestMs ?? defaultPerRequestMs)),
		idleMs: idleMs === defaultIdleMs ? null : idleMs,
	}
}

function longest(limitsMs: readonly number[]): number {
	return limitsMs.includes(0) ? 0 : Math.max(...limitsMs)
}
