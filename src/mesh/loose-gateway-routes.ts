import { canonicalJson } from '#base/hash.ts'
import { onPort } from './declared.ts'
import type { LinkFinding, Resources } from './link-finding.ts'
import { findShadowed } from './loose-routes.ts'
import type { GatewayRoute } from './mesh.ts'
import { serviceListeners } from './service-listeners.ts'

/** Gateway routes that no request reaches, or whose requests nobody answers. */
export function findLooseGatewayRoutes(routes: readonly GatewayRoute[], resources: Resources): readonly LinkFinding[] {
	return [
		...routes.flatMap((route) => findLooseService(route, resources)),
		...findShadowed(routes, ({ spec: { virtualGateway, match } }) => `${virtualGateway} ${canonicalJson(match)}`),
	]
}

function findLooseService(route: GatewayRoute, resources: Resources): readonly LinkFinding[] {
	const { target, protocol } = route.spec
	const service = resources[target.virtualService]
	if (service?.kind !== 'VirtualService') return []
	const loose = (code: LinkFinding['code'], message: string): LinkFinding[] => [
		{ code, resource: route.id, place: { kind: 'virtualService' }, message, missing: null },
	]
	if (service.spec.provider === null) {
		return loose('SL0320', `the virtual service "${service.name}" has no provider: nobody answers these requests`)
	}
	const [listener] = onPort(serviceListeners(service, resources), target.port)
	if (protocol !== 'grpc' || listener?.protocol !== 'http' || service.spec.provider.kind === 'virtualNode') return []
	const message = `the virtual service "${service.name}" speaks http: gRPC gets through only where its routes lead to http2 or grpc`
	return loose('SL0330', message)
}
