import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { VirtualNode } from '#mesh/mesh.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { type Capture, type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { ingressListenerName, ingressRoutesName } from '../names.ts'
import { capturePoint } from './capture-point.ts'
import { connectionManager } from './connection-manager.ts'

const interceptPort = 15_000

/**
 * Where requests for the application come in; null when the node has no listeners. All its ports are chains of one
 * listener, as under App Mesh: adding a port leaves the connections of the others alone.
 */
export function compileIngressListener(node: VirtualNode, capture: Capture): CompiledResource | null {
	const ports = node.spec.listeners.map(({ port, protocol }) => ({ port, protocol }))
	if (ports.length === 0) return null
	const dialled = ports.map(({ port }) => port)
	const statPrefix = ports.length === 1 ? () => 'ingress' : prefixOfPort
	return compiledResource({
		typeUrl: typeUrls.listener,
		name: ingressListenerName,
		key: canonicalJson({ bind: capture.mode === 'explicit' ? capture.bind : null, ports }),
		schema: ListenerSchema,
		routes: dialled.map(ingressRoutesName),
		madeOf: [node.id],
		make: () =>
			create(ListenerSchema, {
				name: ingressListenerName,
				...capturePoint(capture, dialled, interceptPort),
				trafficDirection: TrafficDirection.INBOUND,
				filterChains: ports.map((listener) => ({
					filterChainMatch: { destinationPort: listener.port },
					filters: [
						connectionManager({ statPrefix: statPrefix(listener), routesName: ingressRoutesName(listener.port) }),
					],
				})),
			}),
	})
}

/** App Mesh's name once a node has several listeners. */
function prefixOfPort({ port, protocol }: { port: number; protocol: Protocol }): string {
	return `ingress.${protocol}.${port}`
}
