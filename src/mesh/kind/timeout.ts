import { appMeshDurationToMs } from '../duration.ts'
import type { Timeout } from '../route-spec.ts'

type Duration = { unit: 's' | 'ms'; value: number }

/** `null` where nothing is written; 0 where a limit is switched off. A TCP timeout has only an idle one. */
export function readTimeout(timeout: { perRequest?: Duration; idle?: Duration } | undefined): Timeout {
	return {
		perRequestMs: timeout?.perRequest === undefined ? null : appMeshDurationToMs(timeout.perRequest),
		idleMs: timeout?.idle === undefined ? null : appMeshDurationToMs(timeout.idle),
	}
}
