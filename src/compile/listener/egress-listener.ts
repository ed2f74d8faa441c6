import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import { resourceId, type VirtualNode } from '#mesh/mesh.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { FilterChainSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { TcpProxySchema } from '#proto/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts'
import { type Capture, type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import type { EgressTable } from '../egress-table.ts'
import { egressListenerName } from '../names.ts'
import { packAny } from '../proto/any.ts'
import { capturePoint } from './capture-point.ts'
import { connectionManager } from './connection-manager.ts'

export type EgressListenerOptions = {
	readonly node: VirtualNode
	readonly capture: Capture
	readonly tables: readonly EgressTable[]
	/** Cluster for what no virtual service speaks for; null: such connections are closed. */
	readonly passThrough: string | null
}

const interceptPort = 15_001

/** Where the application's own calls come out; null when there is nothing that it may call. */
export function compileEgressListener(options: EgressListenerOptions): CompiledResource | null {
	const { node, capture, tables, passThrough } = options
	if (tables.length === 0 && passThrough === null) return null
	const chains = tables.map(({ name, hosts }) => ({
		routesName: name,
		port: capture.mode === 'intercept' ? (hosts[0]?.port ?? null) : null,
	}))
	const dialled = capture.mode === 'explicit' ? [capture.egressPort] : []
	return compiledResource({
		typeUrl: typeUrls.listener,
		name: egressListenerName,
		key: canonicalJson({ capture: placeOf(capture), chains, passThrough }),
		schema: ListenerSchema,
		clusters: passThrough === null ? [] : [passThrough],
		routes: chains.map(({ routesName }) => routesName),
		madeOf: [resourceId.mesh(node.mesh), node.id],
		make: () =>
			create(ListenerSchema, {
				name: egressListenerName,
				...capturePoint(capture, dialled, interceptPort),
				trafficDirection: TrafficDirection.OUTBOUND,
				filterChains: chains.map(({ routesName, port }) => ({
					...(port === null ? {} : { filterChainMatch: { destinationPort: port } }),
					filters: [connectionManager({ statPrefix: 'egress', routesName })],
				})),
				...(passThrough === null ? {} : { defaultFilterChain: passThroughChain(passThrough) }),
			}),
	})
}

/** The part of a capture that an egress listener reads. */
function placeOf(capture: Capture): unknown {
	return capture.mode === 'explicit' ? [capture.bind, capture.egressPort] : capture.mode
}

function passThroughChain(cluster: string): MessageInitShape<typeof FilterChainSchema> {
	const clusterSpecifier = { case: 'cluster', value: cluster } as const
	const value = packAny(TcpProxySchema, { statPrefix: 'egress', clusterSpecifier })
	return { filters: [{ name: 'envoy.filters.network.tcp_proxy', configType: { case: 'typedConfig', value } }] }
}
