import type { Mesh, ResourceId } from '#mesh/mesh.ts'

/** What a route's weights share out, and what its traffic is counted in. */
export function unitOf(route: ResourceId, { resources }: Pick<Mesh, 'resources'>): 'requests' | 'connections' {
	const resource = resources[route]
	return resource?.kind === 'Route' && resource.spec.protocol === 'tcp' ? 'connections' : 'requests'
}
