import type { Mesh, ResourceId, Route, VirtualGateway, VirtualNode, VirtualService } from '#mesh/mesh.ts'
import type { ClientTls, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import type { Target } from './plan.ts'

// From proxy to proxy: who sends requests to which listener in a mesh.

export type Caller = VirtualNode | VirtualGateway

/** A virtual service that a proxy calls. */
export type Call = { readonly caller: Caller; readonly service: VirtualService; readonly clientTls: ClientTls | null }

export type LivePath = Call & {
	/** Null: the virtual service is provided by the node itself. */
	readonly route: Route | null
	readonly node: VirtualNode
	readonly listener: VirtualNodeListener
}

/** Targets of a route that get traffic: those with a weight, and those that a rollout sends some to. */
export type TargetsOf = (route: Route) => readonly Target[]

export function writtenTargets({ spec }: Route): readonly Target[] {
	return spec.targets.filter(({ weight }) => weight > 0)
}

/** All calls of virtual services that are declared, whether they lead anywhere or not. */
export function callsOf(mesh: Mesh): Call[] {
	return Object.values(mesh.resources).flatMap((resource): Call[] =>
		resource.kind === 'VirtualNode' || resource.kind === 'VirtualGateway' ? callsOfCaller(resource, mesh) : [],
	)
}

/** What a proxy of this specification would call in a mesh, in which it may be specified otherwise. */
export function callsOfCaller(caller: Caller, mesh: Mesh): Call[] {
	if (caller.kind === 'VirtualNode')
		return caller.spec.backends.flatMap(({ virtualService, clientTls }) => callOf(virtualService, clientTls))
	return servicesBehind(caller.id, mesh).flatMap((id) => callOf(id, caller.spec.clientTls))

	function callOf(id: ResourceId, clientTls: ClientTls | null): Call[] {
		const service = mesh.resources[id]
		return service?.kind === 'VirtualService' ? [{ caller, service, clientTls }] : []
	}
}

function servicesBehind(gateway: ResourceId, { resources }: Mesh): ResourceId[] {
	const routes = Object.values(resources).filter((resource) => resource.kind === 'GatewayRoute')
	const own = routes.filter(({ spec }) => spec.virtualGateway === gateway)
	return [...new Set(own.map(({ spec }) => spec.target.virtualService))]
}

export function livePathsOf(mesh: Mesh, calls: readonly Call[], targetsOf: TargetsOf): LivePath[] {
	const routes = Map.groupBy(
		Object.values(mesh.resources).filter((resource) => resource.kind === 'Route'),
		({ spec }) => spec.virtualRouter,
	)
	return calls.flatMap((call): LivePath[] => {
		const { provider } = call.service.spec
		if (provider === null) return []
		const node = mesh.resources[provider.id]
		if (node?.kind === 'VirtualNode')
			return node.spec.listeners.map((listener) => ({ ...call, route: null, node, listener }))
		return (routes.get(provider.id) ?? []).flatMap((route) =>
			targetsOf(route).flatMap((target): LivePath[] => {
				const found = mesh.resources[target.virtualNode]
				const listener = found?.kind === 'VirtualNode' ? listenerOf(found, target.port) : undefined
				return found?.kind === 'VirtualNode' && listener !== undefined
					? [{ ...call, route, node: found, listener }]
					: []
			}),
		)
	})
}

export function listenerOf({ spec }: VirtualNode, port: number): VirtualNodeListener | undefined {
	return spec.listeners.find((listener) => listener.port === port)
}
