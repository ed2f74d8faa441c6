import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { RetryPolicy } from '#mesh/route-spec.ts'
import {
	RetryPolicy_RetryHostPredicateSchema,
	RetryPolicySchema,
} from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { PreviousHostsPredicateSchema } from '#proto/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts'
import { packAny } from '../proto/any.ts'
import { msToDuration } from '../proto/duration.ts'

type RetryInit = MessageInitShape<typeof RetryPolicySchema>
type HttpRetryEvent = RetryPolicy['httpRetryEvents'][number]

/** What App Mesh's events mean to Envoy, in the order in which they are written out. */
const conditionsOfEvents: readonly {
	readonly event: HttpRetryEvent
	readonly conditions: readonly string[]
	readonly codes: readonly number[]
}[] = [
	{
		event: 'server-error',
		conditions: ['reset', 'retriable-status-codes'],
		codes: [500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
	},
	{ event: 'gateway-error', conditions: ['reset', 'retriable-status-codes'], codes: [502, 503, 504] },
	{ event: 'client-error', conditions: ['retriable-status-codes'], codes: [409] },
	{ event: 'stream-error', conditions: ['refused-stream'], codes: [] },
]

/** Envoy's conditions in the order in which they are written out; those of gRPC have the names of App Mesh's events. */
const conditionOrder = [
	...['reset', 'connect-failure', 'refused-stream', 'retriable-status-codes'],
	...['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
]

/** What every retry has in common: try another host than before, five times at most. Shared: there may be 1,000 routes. */
const otherHosts = {
	retryHostPredicate: [
		create(RetryPolicy_RetryHostPredicateSchema, {
			name: 'envoy.retry_host_predicates.previous_hosts',
			configType: { case: 'typedConfig', value: packAny(PreviousHostsPredicateSchema, {}) },
		}),
	],
	hostSelectionRetryMaxAttempts: 5n,
}

const defaultRetries = create(RetryPolicySchema, {
	retryOn: 'unavailable,connect-failure,refused-stream,retriable-status-codes,reset',
	numRetries: 2,
	retriableStatusCodes: [503],
	...otherHosts,
})

/** A written policy replaces App Mesh's default altogether. */
export function retryPolicyOf(policy: RetryPolicy | null): RetryInit {
	return policy === null ? defaultRetries : writtenRetries(policy)
}

function writtenRetries(policy: RetryPolicy): RetryInit {
	const { maxRetries, perRetryTimeoutMs, httpRetryEvents, tcpRetryEvents, grpcRetryEvents } = policy
	const rows = conditionsOfEvents.filter(({ event }) => httpRetryEvents.includes(event))
	const conditions = new Set<string>([...rows.flatMap((row) => row.conditions), ...grpcRetryEvents])
	if (tcpRetryEvents.includes('connection-error')) conditions.add('connect-failure')
	return {
		retryOn: conditionOrder.filter((condition) => conditions.has(condition)).join(','),
		numRetries: maxRetries,
		retriableStatusCodes: [...new Set(rows.flatMap((row) => row.codes))],
		// 0 would end every try at once; App Mesh means no limit by it.
		...(perRetryTimeoutMs > 0 ? { perTryTimeout: msToDuration(perRetryTimeoutMs) } : {}),
		...otherHosts,
	}
}
