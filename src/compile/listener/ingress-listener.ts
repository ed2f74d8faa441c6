import { resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Capture, CompiledResource } from '../compiled.ts'
import { ingressClusterName, ingressListenerName, ingressRoutesName, interceptedIngressListenerName } from '../names.ts'
import type { ListenAddress } from '../proto/listen-address.ts'
import { interceptPorts } from '../proxy-place.ts'
import { secretResources } from '../tls/secret-use.ts'
import type { CapturePoint } from './capture-point.ts'
import { compiledListener } from './compiled-listener.ts'
import { connectionManager } from './connection-manager.ts'
import type { ListenerSettings } from './listener-settings.ts'
import {
	needsInspection,
	type PortTls,
	portChains,
	portTls,
	portTlsKey,
	secretUsesOfPort,
	type TlsContext,
} from './listener-tls.ts'
import { tcpProxy } from './tcp-proxy.ts'

export type IngressListenerOptions = {
	readonly node: VirtualNode
	readonly capture: Capture
	readonly address: ListenAddress
	readonly settings: ListenerSettings
	readonly secrets: TlsContext['secrets']
	readonly discovered: TlsContext['discovered']
}

/** A port of the listener, and all that its chains are made of. */
type Port = {
	readonly port: number
	readonly protocol: Protocol
	readonly statPrefix: string
	readonly idleMs: number | null
	readonly tls: PortTls
}

/**
 * Where requests for the application come in, with the secrets that its TLS names; nothing when the node has no
 * listeners. Intercepted, all its ports are chains of one listener, as under App Mesh. Dialled, each port is a listener:
 * one that comes or goes leaves the others alone.
 */
export function compileIngressListeners(options: IngressListenerOptions): CompiledResource[] {
	const { node, capture, address } = options
	const { listeners } = node.spec
	const statPrefixOf = listeners.length === 1 ? () => 'ingress' : ingressStatPrefix
	const ports = listeners.map((listener) => portOf(listener, statPrefixOf(listener), options))
	if (ports.length === 0) return []
	if (capture.mode === 'explicit')
		return ports.flatMap((of) => {
			const name = ingressListenerName(of.port)
			const point = { kind: 'dialled', address, port: of.port, socket: 'alone' } as const
			return compileListener({ name, point, ports: [of] }, options)
		})
	const point = { kind: 'redirected', address, port: interceptPorts.ingress } as const
	return compileListener({ name: interceptedIngressListenerName, point, ports }, options)
}

type OneListener = { readonly name: string; readonly point: CapturePoint; readonly ports: readonly Port[] }

function compileListener({ name, point, ports }: OneListener, options: IngressListenerOptions): CompiledResource[] {
	const { node, settings } = options
	const uses = ports.flatMap(({ tls }) => secretUsesOfPort(tls))
	const ofTcp = ports.filter(({ protocol }) => protocol === 'tcp')
	const listener = compiledListener({
		name,
		direction: TrafficDirection.INBOUND,
		point,
		settings,
		key: { node: node.id, ports: ports.map((port) => ({ ...port, tls: portTlsKey(port.tls) })) },
		chains: () =>
			ports.flatMap((port) => {
				const match = point.kind === 'dialled' ? null : { destinationPort: port.port }
				return portChains(match, port.tls, [filterOf(node, port, settings)])
			}),
		inspectedPorts: ports.filter(({ tls }) => needsInspection(tls)).map(({ port }) => port),
		clusters: ofTcp.map((port) => ingressClusterName(node.id, port)),
		routes: ports.filter((port) => !ofTcp.includes(port)).map(({ port }) => ingressRoutesName(port)),
		secrets: uses,
		madeOf: [resourceId.mesh(node.mesh), node.id],
	})
	return [listener, ...secretResources(uses)]
}

/** App Mesh's name once there are several listeners. */
export function ingressStatPrefix({ port, protocol }: { readonly port: number; readonly protocol: Protocol }): string {
	return `ingress.${protocol}.${port}`
}

function portOf(listener: VirtualNodeListener, statPrefix: string, options: IngressListenerOptions): Port {
	const { port, protocol, timeout } = listener
	const { secrets, discovered, node } = options
	const tls = portTls(listener, { secrets, discovered, madeOf: [node.id] })
	return { port, protocol, statPrefix, idleMs: protocol === 'tcp' ? timeout.idleMs : null, tls }
}

function filterOf(node: VirtualNode, { port, protocol, statPrefix, idleMs }: Port, settings: ListenerSettings) {
	if (protocol !== 'tcp') return connectionManager({ statPrefix, routesName: ingressRoutesName(port), settings })
	const to = { kind: 'cluster', cluster: ingressClusterName(node.id, { protocol, port }) } as const
	return tcpProxy({ statPrefix, to, idleMs, settings })
}
