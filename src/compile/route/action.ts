import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { RetryPolicy, Sticky, Timeout } from '#mesh/route-spec.ts'
import type {
	RouteAction_HashPolicySchema,
	RouteAction_RequestMirrorPolicySchema,
	RouteActionSchema,
} from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { FractionalPercent_DenominatorType } from '#proto/gen/envoy/type/v3/percent_pb.ts'
import { retryPolicyOf } from './retry.ts'
import { routeTimeouts } from './timeout.ts'
import type { ClusterCopies } from './weighed-host.ts'
import type { ClusterWeight } from './weights.ts'

type RouteActionInit = MessageInitShape<typeof RouteActionSchema>

type EgressTreatment = {
	readonly timeout: Timeout
	readonly retryPolicy: RetryPolicy | null
	readonly mirrors: readonly ClusterCopies[]
	readonly sticky: Sticky | null
}

/** Towards a target: weights even where there is one target only, so that a shift changes nothing but numbers. */
export function egressAction(
	weights: readonly ClusterWeight[],
	{ timeout, retryPolicy, mirrors, sticky }: EgressTreatment,
): RouteActionInit {
	const clusters = weights.map(({ cluster, weight }) => ({ name: cluster, weight }))
	return {
		clusterSpecifier: { case: 'weightedClusters', value: { clusters, ...randomValueOf(sticky) } },
		hashPolicy: sticky === null ? [] : [hashPolicy(sticky)],
		...routeTimeouts(timeout),
		retryPolicy: retryPolicyOf(retryPolicy),
		requestMirrorPolicies: mirrors.map(mirrorPolicy),
	}
}

/** By the hash, where a request has what it is made of. */
function randomValueOf(sticky: Sticky | null) {
	return sticky === null ? {} : { randomValueSpecifier: { case: 'useHashPolicy', value: { value: true } } as const }
}

/**
 * It draws the cluster alone: no cluster of ours balances its hosts by a hash. A cookie has no lifetime here, since Envoy
 * would set none: one that is not there is no hash.
 */
function hashPolicy({ kind, name }: Sticky): MessageInitShape<typeof RouteAction_HashPolicySchema> {
	switch (kind) {
		case 'header':
			return { policySpecifier: { case: 'header', value: { headerName: name } } }
		case 'cookie':
			return { policySpecifier: { case: 'cookie', value: { name } } }
		default:
			return unreachable(kind)
	}
}

/** The host of a copy ends with `-shadow`, Envoy's own mark: who gets it can tell, and leave undone what is done already. */
function mirrorPolicy({
	cluster,
	sharePpm,
}: ClusterCopies): MessageInitShape<typeof RouteAction_RequestMirrorPolicySchema> {
	const defaultValue = { numerator: sharePpm, denominator: FractionalPercent_DenominatorType.MILLION }
	return { cluster, runtimeFraction: { defaultValue } }
}

/**
 * Towards the application beside the proxy: tried once, since the caller's proxy does the retrying. A timeout of null
 * leaves Envoy's own.
 */
export function ingressAction(cluster: string, timeout: Timeout | null) {
	const clusterSpecifier = { case: 'cluster', value: cluster } as const
	return timeout === null ? { clusterSpecifier } : { clusterSpecifier, ...routeTimeouts(timeout) }
}
