import { isSameList } from '#base/same-list.ts'
import type { Resource, ResourceId, Route, VirtualService } from '#mesh/mesh.ts'
import type { Protocol, Timeout } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import { meshIndex } from './mesh-index.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** What answers for a virtual service on one of its ports. */
export type Upstream =
	/** No route speaks for it, so the listener's own timeout is the one that holds. */
	| { readonly kind: 'node'; readonly target: Target; readonly timeout: Timeout }
	/** In the order in which they are tried; may be none: then every request gets 404. */
	| { readonly kind: 'router'; readonly router: ResourceId; readonly routes: readonly Route[] }

/** A port that callers of a virtual service dial. */
export type ServicePort = { readonly port: number; readonly protocol: Protocol; readonly upstream: Upstream }

type Made = {
	readonly provider: Resource | undefined
	readonly routes: readonly Route[]
	readonly ports: readonly ServicePort[]
}

/** Most services are in the next mesh what they are in this one. */
const known = new WeakMap<VirtualService, Made>()
const none: readonly never[] = []

/**
 * The ports of a virtual service; none while it has no provider, or its provider no listener. The same object as long as
 * service, provider and routes are the same.
 */
export function servicePorts(resources: Resources, service: VirtualService): readonly ServicePort[] {
	const id = service.spec.provider?.id
	if (id === undefined) return none
	const provider = resources[id]
	const routes = provider?.kind === 'VirtualRouter' ? (meshIndex(resources).routes.get(id) ?? none) : none
	const before = known.get(service)
	if (before !== undefined && before.provider === provider && isSameList(before.routes, routes)) return before.ports
	const ports = provider === undefined ? none : portsOf(provider, routes)
	known.set(service, { provider, routes, ports })
	return ports
}

function portsOf(provider: Resource, routes: readonly Route[]): readonly ServicePort[] {
	const { id } = provider
	if (provider.kind === 'VirtualNode') {
		return provider.spec.listeners.map(({ port, protocol, timeout }) => ({
			port,
			protocol,
			upstream: { kind: 'node', target: { virtualNode: id, port }, timeout },
		}))
	}
	if (provider.kind !== 'VirtualRouter') return none
	return provider.spec.listeners.map((listener) => ({
		...listener,
		upstream: { kind: 'router', router: id, routes: routes.filter((route) => isFor(route, listener)) },
	}))
}

/** Connections are not taken apart into requests: a route for one kind says nothing to the other. */
function isFor({ spec: { match } }: Route, { port, protocol }: { port: number; protocol: Protocol }): boolean {
	return (match.port === null || match.port === port) && (match.kind === 'tcp') === (protocol === 'tcp')
}

/** What a virtual service's configuration is made of: itself, and what answers for it. */
export function sourcesOf(service: VirtualService, upstream: Upstream): ResourceId[] {
	if (upstream.kind === 'node') return [service.id, upstream.target.virtualNode]
	return [service.id, upstream.router, ...upstream.routes.map(({ id }) => id)]
}
