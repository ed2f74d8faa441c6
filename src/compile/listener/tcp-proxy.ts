import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { TcpProxySchema } from '#proto/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts'
import { packAny } from '../proto/any.ts'
import { msToDuration } from '../proto/duration.ts'
import type { ClusterWeight } from '../route/weights.ts'
import { accessLogs } from './access-log.ts'
import type { ListenerSettings } from './listener-settings.ts'

export type TcpProxyParameters = {
	/** First part of its statistics' names. */
	readonly statPrefix: string
	readonly to: TcpDestination
	/** Of a connection on which nothing moves. `null`: Envoy's own hour; 0: no limit. */
	readonly idleMs: number | null
	readonly settings: ListenerSettings
}

export type TcpDestination =
	| { readonly kind: 'cluster'; readonly cluster: string }
	/** All above 0: of TCP, Envoy refuses a weight of 0. */
	| { readonly kind: 'weighted'; readonly weights: readonly ClusterWeight[] }

/** Passes connections on as they are. */
export function tcpProxy({
	statPrefix,
	to,
	idleMs,
	settings,
}: TcpProxyParameters): MessageInitShape<typeof FilterSchema> {
	const value = packAny(TcpProxySchema, {
		statPrefix,
		clusterSpecifier: clusterSpecifier(to),
		...(idleMs === null ? {} : { idleTimeout: msToDuration(idleMs) }),
		accessLog: accessLogs(settings.accessLog),
	})
	return { name: 'envoy.filters.network.tcp_proxy', configType: { case: 'typedConfig', value } }
}

function clusterSpecifier(to: TcpDestination) {
	if (to.kind === 'cluster') return { case: 'cluster', value: to.cluster } as const
	const clusters = to.weights.map(({ cluster, weight }) => ({ name: cluster, weight }))
	return { case: 'weightedClusters', value: { clusters } } as const
}
