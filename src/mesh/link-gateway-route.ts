import { onPort } from './declared.ts'
import { type LinkFinding, lastName, missingLink, type Resources } from './link-finding.ts'
import type { GatewayRoute, VirtualService } from './mesh.ts'
import { serviceListeners } from './service-listeners.ts'
import { settleProtocol } from './settle-protocol.ts'

/** Why a gateway route cannot be served: its gateway, or the virtual service that it leads to. */
export function findBrokenLinksOfGatewayRoute(route: GatewayRoute, resources: Resources): readonly LinkFinding[] {
	return [...findBrokenGateway(route, resources), ...findBrokenService(route, resources)]
}

function findBrokenGateway(route: GatewayRoute, resources: Resources): readonly LinkFinding[] {
	const { virtualGateway, protocol, match } = route.spec
	const gateway = resources[virtualGateway]
	const name = lastName(virtualGateway)
	if (gateway?.kind !== 'VirtualGateway') {
		return [missingLink(route, { kind: 'virtualGateway' }, virtualGateway, `the virtual gateway "${name}"`)]
	}
	const settled = settleProtocol(protocol, onPort(gateway.spec.listeners, match.port))
	if (settled.kind !== 'impossible') return []
	const message = `the virtual gateway "${name}" speaks ${settled.spoken.join(' and ')}, and that carries no ${protocol} route`
	return [{ code: 'SL0317', resource: route.id, place: { kind: 'routeType' }, message, missing: null }]
}

/** App Mesh deletes no virtual service that a gateway route leads to, so one that is not there is a mistake. */
function findBrokenService(route: GatewayRoute, resources: Resources): readonly LinkFinding[] {
	const { virtualService, port } = route.spec.target
	const service = resources[virtualService]
	const name = lastName(virtualService)
	if (service?.kind !== 'VirtualService') {
		return [missingLink(route, { kind: 'virtualService' }, virtualService, `the virtual service "${name}"`)]
	}
	const listeners = serviceListeners(service, resources)
	const ports = listeners.map((listener) => listener.port)
	if (ports.length === 0) return []
	const broken = (code: LinkFinding['code'], kind: 'virtualService' | 'virtualServicePort', message: string) => [
		{ code, resource: route.id, place: { kind }, message, missing: null },
	]
	if (port === null && ports.length > 1) {
		const message = `the virtual service "${name}" has several ports, ${ports.join(', ')}: the target must say which`
		return broken('SL0304', 'virtualService', message)
	}
	if (port !== null && !ports.includes(port)) {
		const message = `the virtual service "${name}" has no port ${port}; it has ${ports.join(', ')}`
		return broken('SL0319', 'virtualServicePort', message)
	}
	const [listener] = onPort(listeners, port)
	const reason = listener === undefined ? null : whyUnreachable(route, service, listener.protocol)
	return reason === null ? [] : broken('SL0321', 'virtualService', reason)
}

function whyUnreachable({ spec: { protocol } }: GatewayRoute, service: VirtualService, spoken: string): string | null {
	if (spoken === 'tcp') return `the virtual service "${service.name}" speaks tcp, and a gateway passes on requests only`
	if (protocol !== 'grpc' || spoken !== 'http' || service.spec.provider?.kind !== 'virtualNode') return null
	return `the virtual service "${service.name}" speaks http, and gRPC needs HTTP/2`
}
