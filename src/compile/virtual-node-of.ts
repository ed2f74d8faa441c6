import { type Resource, type ResourceId, resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { ProxyIdentity } from './compiled.ts'

/** The virtual node that a proxy stands for; null when the mesh has none of that name, or it is a gateway's identity. */
export function virtualNodeOf(
	resources: Readonly<Record<ResourceId, Resource>>,
	{ mesh, kind, name }: ProxyIdentity,
): VirtualNode | null {
	if (kind !== 'virtualNode') return null
	const node = resources[resourceId.virtualNode(mesh, name)]
	return node?.kind === 'VirtualNode' ? node : null
}
