import type { Duration } from '@bufbuild/protobuf/wkt'
import type { Timeout } from '#mesh/route-spec.ts'
import { msToDuration } from '../proto/duration.ts'

/** App Mesh's limit of a request where none is written. */
const defaultPerRequestMs = 15_000

/**
 * A route's limits. The request's is always written out; the idle one only when the user did, else Envoy's five minutes
 * of a silent stream hold. App Mesh enforces both at the caller (the route's) and at the target (its listener's), so a
 * longer request needs both raised.
 */
export function routeTimeouts({ perRequestMs, idleMs }: Timeout): { timeout: Duration; idleTimeout?: Duration } {
	const timeout = msToDuration(perRequestMs ?? defaultPerRequestMs)
	return idleMs === null ? { timeout } : { timeout, idleTimeout: msToDuration(idleMs) }
}
