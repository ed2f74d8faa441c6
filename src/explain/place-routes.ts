import { type Origin, type Origins, type Resource, type ResourceId, resourceId } from '#mesh/mesh.ts'
import type { Explained, Hop, RouteReference, TriedRoute } from './explained.ts'
import { missingBackend } from './missing-backend.ts'

export type KnownMesh = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	readonly origins: Origins
}

/** The same, with the routes of the mesh that Envoy's routes were made from, and where they are written. */
export function placeRoutes(explained: Explained, mesh: KnownMesh): Explained {
	const hops = explained.hops.map((hop, index) => placeHop(hop, { index, explained, mesh }))
	const { outcome } = explained
	const advice = missingBackend(explained, mesh.resources) ?? explained.advice
	if (outcome.kind !== 'noRoute' || outcome.nearest === null) return { ...explained, hops, advice }
	// The nearest miss is one of the routes that the last hop tried.
	const at = explained.hops.at(-1)?.tried.indexOf(outcome.nearest) ?? -1
	return { ...explained, hops, advice, outcome: { ...outcome, nearest: hops.at(-1)?.tried[at] ?? outcome.nearest } }
}

type HopContext = { readonly index: number; readonly explained: Explained; readonly mesh: KnownMesh }

function placeHop(hop: Hop, context: HopContext): Hop {
	const idOf = idsOf(hop, context)
	const place = <Route extends RouteReference>(route: Route): Route => {
		const id = idOf(route)
		const resource = id === null || context.mesh.resources[id] === undefined ? null : id
		return { ...route, resource, place: resource === null ? null : placeOf(resource, context.mesh.origins) }
	}
	return { ...hop, tried: hop.tried.map(place), taken: hop.taken === null ? null : place(hop.taken) }
}

function idsOf(hop: Hop, { index, explained, mesh }: HopContext): (route: RouteReference) => ResourceId | null {
	const [, meshName = '', kind, name = ''] = explained.proxy.split('/')
	if (kind === 'virtualGateway' && index === 0) {
		return (route) => resourceId.gatewayRoute(meshName, name, route.name)
	}
	// A request that a gateway handed over names its service in a header. Its virtual host may be another service's.
	const service = explained.hops[index - 1]?.taken?.virtualService ?? hop.virtualHost?.virtualService ?? null
	const provider = providerOf(service, mesh)
	if (provider === null) return () => null
	if (provider.kind === 'virtualNode') return (route) => (route.name === '' ? service : null)
	const router = provider.id.split('/').at(-1) ?? ''
	return (route) => (isOfOtherService(route) ? null : resourceId.route(meshName, router, route.name))
}

function providerOf(service: ResourceId | null, { resources }: KnownMesh) {
	const found = service === null ? undefined : resources[service]
	return found?.kind === 'VirtualService' ? found.spec.provider : null
}

function isOfOtherService(route: RouteReference): boolean {
	return 'failed' in route && (route as TriedRoute).failed.some(({ name }) => name === handedOver)
}

const handedOver = 'header x-app-mesh-virtual-service'

function placeOf(id: ResourceId, origins: Origins): Origin | null {
	return origins[id]?.['/metadata/name'] ?? origins[id]?.[''] ?? null
}
