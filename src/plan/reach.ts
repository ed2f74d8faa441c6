import type { Mesh, ResourceId } from '#mesh/mesh.ts'

/**
 * Who reaches what in one mesh: which routers and nodes the traffic of some virtual node or gateway can get to. Made
 * once for a mesh, since every change of a plan asks it.
 */
export type Reach = {
	/** Virtual services that a virtual node declares as a backend, or a gateway route leads to, and that have a provider. */
	readonly services: ReadonlySet<ResourceId>
	readonly routers: ReadonlySet<ResourceId>
	/** Targets of live routes, whatever their weight, and direct providers. */
	readonly nodes: ReadonlySet<ResourceId>
}

export function reachOf(mesh: Mesh): Reach {
	const resources = Object.values(mesh.resources)
	const services = new Set<ResourceId>()
	const routers = new Set<ResourceId>()
	const nodes = new Set<ResourceId>()
	for (const resource of resources) {
		if (resource.kind === 'VirtualNode')
			for (const { virtualService } of resource.spec.backends) reachService(virtualService)
		if (resource.kind === 'GatewayRoute') reachService(resource.spec.target.virtualService)
	}
	for (const route of resources) {
		if (route.kind !== 'Route' || !routers.has(route.spec.virtualRouter)) continue
		for (const target of route.spec.targets) nodes.add(target.virtualNode)
	}
	return { services, routers, nodes }

	function reachService(id: ResourceId): void {
		const service = mesh.resources[id]
		if (service?.kind !== 'VirtualService' || service.spec.provider === null) return
		services.add(id)
		const { kind, id: provider } = service.spec.provider
		if (kind === 'virtualRouter') routers.add(provider)
		else nodes.add(provider)
	}
}
