import type { GatewayRoute, Resource, ResourceId, Route, VirtualService } from '#mesh/mesh.ts'
import type { Caller } from './caller-of.ts'
import { inGatewayOrder } from './route/gateway-order.ts'
import { inMatchOrder } from './route/order.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** Who points at whom, the other way round than it is written. Made once for a mesh: a step of a rollout shares it. */
export type MeshIndex = {
	/** Routes of a router, in the order in which they are tried. */
	readonly routes: ReadonlyMap<ResourceId, readonly Route[]>
	/** Routes of a gateway, in the order in which they are tried. */
	readonly gatewayRoutes: ReadonlyMap<ResourceId, readonly GatewayRoute[]>
	/** Virtual services that a router answers for. */
	readonly services: ReadonlyMap<ResourceId, readonly VirtualService[]>
	/** Virtual nodes that declare a virtual service as a backend, and gateways with a route to it, once for each. */
	readonly callers: ReadonlyMap<ResourceId, readonly Caller[]>
}

const indexes = new WeakMap<Resources, MeshIndex>()

export function meshIndex(resources: Resources): MeshIndex {
	const known = indexes.get(resources)
	if (known !== undefined) return known
	const index = makeIndex(resources)
	indexes.set(resources, index)
	return index
}

function makeIndex(resources: Resources): MeshIndex {
	const routes = new Map<ResourceId, Route[]>()
	const gatewayRoutes = new Map<ResourceId, GatewayRoute[]>()
	const services = new Map<ResourceId, VirtualService[]>()
	const callers = new Map<ResourceId, Caller[]>()
	for (const resource of Object.values(resources)) {
		switch (resource.kind) {
			case 'Route':
				append(routes, resource.spec.virtualRouter, resource)
				break
			case 'GatewayRoute': {
				const { virtualGateway, target } = resource.spec
				append(gatewayRoutes, virtualGateway, resource)
				const gateway = resources[virtualGateway]
				if (gateway?.kind === 'VirtualGateway') append(callers, target.virtualService, gateway)
				break
			}
			case 'VirtualService':
				if (resource.spec.provider?.kind === 'virtualRouter') append(services, resource.spec.provider.id, resource)
				break
			case 'VirtualNode':
				for (const { virtualService } of resource.spec.backends) append(callers, virtualService, resource)
				break
			default:
		}
	}
	for (const list of routes.values()) list.sort(inMatchOrder)
	for (const list of gatewayRoutes.values()) list.sort(inGatewayOrder)
	return { routes, gatewayRoutes, services, callers }
}

function append<Value>(lists: Map<ResourceId, Value[]>, id: ResourceId, value: Value): void {
	const list = lists.get(id)
	if (list === undefined) lists.set(id, [value])
	else list.push(value)
}
