import type { Resource, ResourceId, VirtualRouterSpec } from './mesh.ts'
import type { Protocol } from './route-spec.ts'

/** The nodes, routers and gateways that are declared, by id: what a route needs to be read. */
export type Declared = Pick<ReadonlyMap<ResourceId, Resource>, 'get'>

export type DeclaredListener = { readonly port: number; readonly protocol: Protocol }

/** The listeners of a node, router or gateway; none when it is not declared. */
export function listenersOf(declared: Declared, id: ResourceId): readonly DeclaredListener[] {
	const resource = declared.get(id)
	switch (resource?.kind) {
		case 'VirtualNode':
		case 'VirtualRouter':
		case 'VirtualGateway':
			return (resource.spec as VirtualRouterSpec).listeners
		default:
			return []
	}
}

/** Those of a port; all of them where no port is asked for. */
export function onPort(listeners: readonly DeclaredListener[], port: number | null): readonly DeclaredListener[] {
	return port === null ? listeners : listeners.filter((listener) => listener.port === port)
}
