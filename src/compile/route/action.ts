import type { MessageInitShape } from '@bufbuild/protobuf'
import type { RetryPolicy, Timeout } from '#mesh/route-spec.ts'
import type { RouteActionSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { retryPolicyOf } from './retry.ts'
import { routeTimeouts } from './timeout.ts'
import type { ClusterWeight } from './weights.ts'

type RouteActionInit = MessageInitShape<typeof RouteActionSchema>

/** Towards a target: weights even where there is one target only, so that a shift changes nothing but numbers. */
export function egressAction(
	weights: readonly ClusterWeight[],
	timeout: Timeout,
	retryPolicy: RetryPolicy | null,
): RouteActionInit {
	const clusters = weights.map(({ cluster, weight }) => ({ name: cluster, weight }))
	return {
		clusterSpecifier: { case: 'weightedClusters', value: { clusters } },
		...routeTimeouts(timeout),
		retryPolicy: retryPolicyOf(retryPolicy),
	}
}

/**
 * Towards the application beside the proxy: tried once, since the caller's proxy does the retrying. A timeout of null
 * leaves Envoy's own.
 */
export function ingressAction(cluster: string, timeout: Timeout | null) {
	const clusterSpecifier = { case: 'cluster', value: cluster } as const
	return timeout === null ? { clusterSpecifier } : { clusterSpecifier, ...routeTimeouts(timeout) }
}
