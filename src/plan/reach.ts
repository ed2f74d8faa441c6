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
	/** Targets of live routes, whatever their weight, and direct providers. */
	readonly nodes: ReadonlySet<ResourceId>
}

export function reachOf(mesh: Mesh): Reach {
	const called = last !== null && isCalledAlike(last.mesh, mesh) ? last.called : calledIn(mesh)
	last = { mesh, called }
	const { services, routers } = called
	let nodes: ReadonlySet<ResourceId> | null = null
	return {
		services,
		routers,
		get nodes() {
			nodes ??= nodesIn(mesh, called)
			return nodes
		},
	}
}

type Called = Pick<Reach, 'services' | 'routers'> & {
	/** Nodes that provide such a service themselves. */
	readonly providing: ReadonlySet<ResourceId>
}

/** Of the mesh that was asked of last: most commits change routes alone, and these call nobody. */
let last: { readonly mesh: Mesh; readonly called: Called } | null = null

function isCalledAlike(before: Mesh, after: Mesh): boolean {
	const callsNobody = ({ kind }: Resource) => kind === 'Route' || kind === 'RolloutPolicy'
	return differingResources(before.resources, after.resources).every(callsNobody)
}

function calledIn({ resources }: Mesh): Called {
	const services = new Set<ResourceId>()
	const routers = new Set<ResourceId>()
	const providing = new Set<ResourceId>()
	for (const resource of Object.values(resources)) {
		if (resource.kind === 'VirtualNode')
			for (const { virtualService } of resource.spec.backends) reachService(virtualService)
		if (resource.kind === 'GatewayRoute') reachService(resource.spec.target.virtualService)
	}
	return { services, routers, providing }

	function reachService(id: ResourceId): void {
		if (services.has(id)) return
		const service = resources[id]
		if (service?.kind !== 'VirtualService' || service.spec.provider === null) return
		services.add(id)
		const { kind, id: provider } = service.spec.provider
		if (kind === 'virtualRouter') routers.add(provider)
		else providing.add(provider)
	}
}

function nodesIn({ resources }: Mesh, { routers, providing }: Called): ReadonlySet<ResourceId> {
	const nodes = new Set(providing)
	for (const route of Object.values(resources)) {
		if (route.kind !== 'Route' || !routers.has(route.spec.virtualRouter)) continue
		for (const target of route.spec.targets) nodes.add(target.virtualNode)
	}
	return nodes
}
