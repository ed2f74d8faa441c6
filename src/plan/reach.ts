import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { differingResources } from './differing-resources.ts'

/**
 * Who reaches what in one mesh: which routers and nodes the traffic of some virtual node or gateway can get to. Made
 * once for a mesh, since every change of a plan asks it.
 */
export type Reach = {
	/** Virtual services that a virtual node declares as a backend, or a gateway route leads to, and that have a provider. */
	readonly services: ReadonlySet<ResourceId>
	readonly routers: ReadonlySet<ResourceId>
	/** Nodes that provide such a service themselves. */
	readonly providing: ReadonlySet<ResourceId>
	/** Targets of live routes, whatever their weight, and direct providers. */
	readonly nodes: ReadonlySet<ResourceId>
}

export function reachOf(mesh: Mesh): Reach {
	const before = last
	const found =
		before !== null && isReachedAlike(before.mesh, mesh)
			? { ...before.reach, nodes: nodesIn(mesh, before.reach) }
			: null
	const reach = found ?? makeReach(mesh)
	last = { mesh, reach }
	return reach
}

/** Of the mesh before it most is the same, and most commits change routes alone. */
let last: { readonly mesh: Mesh; readonly reach: Reach } | null = null

/** By the same services and routers: whatever differs are routes. */
function isReachedAlike(before: Mesh, after: Mesh): boolean {
	const isRoute = ({ kind }: Resource) => kind === 'Route' || kind === 'RolloutPolicy'
	return differingResources(before.resources, after.resources).every(isRoute)
}

function makeReach(mesh: Mesh): Reach {
	const resources = Object.values(mesh.resources)
	const services = new Set<ResourceId>()
	const routers = new Set<ResourceId>()
	const providing = new Set<ResourceId>()
	for (const resource of resources) {
		if (resource.kind === 'VirtualNode')
			for (const { virtualService } of resource.spec.backends) reachService(virtualService)
		if (resource.kind === 'GatewayRoute') reachService(resource.spec.target.virtualService)
	}
	return { services, routers, providing, nodes: nodesIn(mesh, { routers, providing }) }

	function reachService(id: ResourceId): void {
		if (services.has(id)) return
		const service = mesh.resources[id]
		if (service?.kind !== 'VirtualService' || service.spec.provider === null) return
		services.add(id)
		const { kind, id: provider } = service.spec.provider
		if (kind === 'virtualRouter') routers.add(provider)
		else providing.add(provider)
	}
}

function nodesIn({ resources }: Mesh, { routers, providing }: Pick<Reach, 'routers' | 'providing'>): Set<ResourceId> {
	const nodes = new Set(providing)
	for (const route of Object.values(resources)) {
		if (route.kind !== 'Route' || !routers.has(route.spec.virtualRouter)) continue
		for (const target of route.spec.targets) nodes.add(target.virtualNode)
	}
	return nodes
}
