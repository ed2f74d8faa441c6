import { type Resource, type ResourceId, resourceId, type VirtualGateway, type VirtualNode } from '#mesh/mesh.ts'
import type { ProxyIdentity } from './compiled.ts'

/** Whom a proxy stands for: both call virtual services, and take requests in. */
export type Caller = VirtualNode | VirtualGateway

/** The virtual node or gateway that a proxy stands for; null when the mesh has none of that kind and name. */
export function callerOf(
	resources: Readonly<Record<ResourceId, Resource>>,
	{ mesh, kind, name }: ProxyIdentity,
): Caller | null {
	const found = resources[resourceId[kind](mesh, name)]
	return found?.kind === 'VirtualNode' || found?.kind === 'VirtualGateway' ? found : null
}

export function identityOf({ mesh, kind, name }: Caller): ProxyIdentity {
	return { mesh, kind: kind === 'VirtualNode' ? 'virtualNode' : 'virtualGateway', name }
}
