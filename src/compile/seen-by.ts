import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Caller } from './caller-of.ts'
import { targetsOfRoute } from './egress-clusters.ts'
import { meshIndex } from './mesh-index.ts'

/**
 * Virtual nodes and gateways whose configuration may have something of any of these resources in it, by id: for all
 * others nothing is compiled from them, whatever is written there. `all`: everybody's may.
 */
export function seenBy(effective: EffectiveMesh, ids: ReadonlySet<ResourceId>): ReadonlySet<ResourceId> | 'all' {
	const { resources } = effective
	const found = [...ids].flatMap((id) => resources[id] ?? [])
	if (found.some(({ kind }) => kind === 'Mesh')) return 'all'
	const providers = new Set([...found.flatMap(providersOf), ...providersLeadingTo(effective, nodesAmong(found))])
	const services = [
		...found.filter(({ kind }) => kind === 'VirtualService').map(({ id }) => id),
		...servicesOf(resources, providers),
	]
	const { callers } = meshIndex(resources)
	return new Set([
		...found.flatMap(ownersOf),
		...services.flatMap((service) => callers.get(service) ?? []).map(({ id }: Caller) => id),
	])
}

type Resources = EffectiveMesh['resources']

/** Whose own configuration it is. */
function ownersOf(resource: Resource): ResourceId[] {
	switch (resource.kind) {
		case 'VirtualNode':
		case 'VirtualGateway':
			return [resource.id]
		case 'GatewayRoute':
			return [resource.spec.virtualGateway]
		default:
			return []
	}
}

/** What answers for virtual services by it. */
function providersOf(resource: Resource): ResourceId[] {
	switch (resource.kind) {
		case 'VirtualNode':
		case 'VirtualRouter':
			return [resource.id]
		case 'Route':
			return [resource.spec.virtualRouter]
		default:
			return []
	}
}

function nodesAmong(resources: readonly Resource[]): ReadonlySet<ResourceId> {
	return new Set(resources.filter(({ kind }) => kind === 'VirtualNode').map(({ id }) => id))
}

/** Routers of which some route leads to one of the nodes, or has clusters for it. */
function providersLeadingTo(effective: EffectiveMesh, nodes: ReadonlySet<ResourceId>): ResourceId[] {
	if (nodes.size === 0) return []
	return Object.values(effective.resources).flatMap((route) => {
		if (route.kind !== 'Route') return []
		const leads = [...targetsOfRoute(effective, route.id)].some(({ target }) => nodes.has(target.virtualNode))
		return leads ? [route.spec.virtualRouter] : []
	})
}

function servicesOf(resources: Resources, providers: ReadonlySet<ResourceId>): ResourceId[] {
	if (providers.size === 0) return []
	return Object.values(resources).flatMap((service) => {
		const provider = service.kind === 'VirtualService' ? service.spec.provider : null
		return provider !== null && providers.has(provider.id) ? [service.id] : []
	})
}
