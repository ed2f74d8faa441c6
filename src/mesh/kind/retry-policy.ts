import { compareText } from '#base/diagnostic.ts'
import { appMeshDurationToMs } from '../duration.ts'
import { type Finding, type Path, warningAt } from '../finding.ts'
import type { RouteGrpcRetryPolicy, RouteRetryPolicy } from '../manifest.generated.ts'
import type { RetryPolicy } from '../route-spec.ts'

/** Events come out sorted, each once: their order says nothing. */
export function readRetryPolicy(policy: RouteRetryPolicy | RouteGrpcRetryPolicy | undefined): RetryPolicy | null {
	if (policy === undefined) return null
	return {
		maxRetries: policy.maxRetries,
		perRetryTimeoutMs: appMeshDurationToMs(policy.perRetryTimeout),
		httpRetryEvents: sortedOnce(policy.httpRetryEvents),
		tcpRetryEvents: sortedOnce(policy.tcpRetryEvents),
		grpcRetryEvents: 'grpcRetryEvents' in policy ? sortedOnce(policy.grpcRetryEvents) : [],
	}
}

function sortedOnce<Event extends string>(events: readonly Event[] = []): Event[] {
	return [...new Set(events)].sort(compareText)
}

export function checkRetryPolicy(
	at: Path,
	policy: RouteRetryPolicy | RouteGrpcRetryPolicy | undefined,
): readonly Finding[] {
	const read = readRetryPolicy(policy)
	if (read === null || read.maxRetries === 0) return []
	const { httpRetryEvents, tcpRetryEvents, grpcRetryEvents } = read
	if (httpRetryEvents.length + tcpRetryEvents.length + grpcRetryEvents.length > 0) return []
	const message = 'the retry policy names no event, so nothing is ever tried again'
	return [{ ...warningAt(at, 'SL0243', message, 'add httpRetryEvents or tcpRetryEvents'), at: 'key' }]
}
