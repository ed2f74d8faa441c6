import type { Resource, ResourceId, VirtualGateway } from '#mesh/mesh.ts'
import type { Backend } from '#mesh/proxy-spec.ts'
import type { Caller } from './caller-of.ts'
import { meshIndex } from './mesh-index.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** The virtual services that a proxy may call: a node declares them, a gateway's routes name them. Sorted. */
export function backendsOf(resources: Resources, caller: Caller): readonly Backend[] {
	return caller.kind === 'VirtualNode' ? caller.spec.backends : targetsOf(resources, caller)
}

function targetsOf(resources: Resources, gateway: VirtualGateway): Backend[] {
	const routes = meshIndex(resources).gatewayRoutes.get(gateway.id) ?? []
	const services = [...new Set(routes.map(({ spec }) => spec.target.virtualService))].sort()
	const { clientTls } = gateway.spec
	return services.map((virtualService) => ({ virtualService, clientTls, egressPort: null }))
}
