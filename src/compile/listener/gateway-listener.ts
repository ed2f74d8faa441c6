import { resourceId, type VirtualGateway } from '#mesh/mesh.ts'
import type { GatewayListener } from '#mesh/proxy-spec.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Capture, CompiledResource } from '../compiled.ts'
import { ingressListenerName, ingressRoutesName } from '../names.ts'
import type { ListenAddress } from '../proto/listen-address.ts'
import { gatewayPoint } from '../proxy-place.ts'
import { secretResources } from '../tls/secret-use.ts'
import { compiledListener } from './compiled-listener.ts'
import { connectionManager } from './connection-manager.ts'
import { ingressStatPrefix } from './ingress-listener.ts'
import type { ListenerSettings } from './listener-settings.ts'
import { needsInspection, portChains, portTls, portTlsKey, secretUsesOfPort, type TlsContext } from './listener-tls.ts'

export type GatewayListenerOptions = {
	readonly gateway: VirtualGateway
	readonly capture: Capture
	readonly address: ListenAddress
	readonly settings: ListenerSettings
	readonly secrets: TlsContext['secrets']
	readonly discovered: TlsContext['discovered']
}

/** Where the outside comes in: a listener of its own for each port, with the secrets that its TLS names. */
export function compileGatewayListener(listener: GatewayListener, options: GatewayListenerOptions): CompiledResource[] {
	const { gateway, capture, address, settings, secrets, discovered } = options
	const { port } = listener
	const statPrefix = gateway.spec.listeners.length === 1 ? 'ingress' : ingressStatPrefix(listener)
	const tls = portTls(listener, { secrets, discovered, madeOf: [gateway.id] })
	const uses = secretUsesOfPort(tls)
	const routesName = ingressRoutesName(port)
	const compiled = compiledListener({
		name: ingressListenerName(port),
		direction: TrafficDirection.INBOUND,
		point: gatewayPoint(address, capture, port),
		settings,
		key: { statPrefix, routesName, tls: portTlsKey(tls) },
		chains: () => portChains(null, tls, [connectionManager({ statPrefix, routesName, settings })]),
		inspectedPorts: needsInspection(tls) ? [port] : [],
		clusters: [],
		routes: [routesName],
		secrets: uses,
		madeOf: [resourceId.mesh(gateway.mesh), gateway.id],
	})
	return [compiled, ...secretResources(uses)]
}
