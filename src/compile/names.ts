// The names that App Mesh gave Envoy's configuration, byte for byte: dashboards and alarms are keyed on them. None of
// their parts can hold a dot or a colon, which would break the tags that Envoy takes out of its statistics' names.
import { madeFor } from '#base/made-for.ts'
import { madeOfBoth } from '#base/made-of-both.ts'
import type { Resource, ResourceId, VirtualGateway } from '#mesh/mesh.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { type Caller, callerOf, identityOf } from './caller-of.ts'
import { type ProxyGroup, type ProxyIdentity, type TypeUrl, typeUrls } from './compiled.ts'
import { egressTables } from './egress-table.ts'
import { meshIndex } from './mesh-index.ts'
import { possibleTcpEgresses, tcpEgresses } from './tcp-egress.ts'
import { servicePorts, type Upstream } from './upstream.ts'

export type Resources = Readonly<Record<ResourceId, Resource>>

/** Whatever address and port a listener binds, it keeps App Mesh's name. */
export const egressListenerName = 'lds_egress_0.0.0.0_15001'
export const interceptedIngressListenerName = 'lds_ingress_0.0.0.0_15000'

/** A gateway has one listener for each of its ports; so has a node whose ports are dialled and not redirected. */
export function ingressListenerName(port: number): string {
	return `lds_ingress_0.0.0.0_${port}`
}

/** Explicit capture of a TCP backend. */
export function tcpEgressListenerName(egressPort: number): string {
	return `lds_egress_0.0.0.0_${egressPort}`
}

export function ingressRoutesName(port: number): string {
	return `rds_ingress_http_${port}`
}

/**
 * The cluster by which every caller reaches a target. Where the target's node or listener is not there, the protocol is
 * taken to be http: such a name leads to no cluster, which the snapshot's check finds.
 */
export function egressClusterName(target: Target, resources: Resources): string {
	const node = resources[target.virtualNode]
	const listeners = node?.kind === 'VirtualNode' ? node.spec.listeners : []
	const protocol = listeners.find((listener) => listener.port === target.port)?.protocol ?? 'http'
	return `cds_egress_${targetName(target.virtualNode, protocol, target.port)}`
}

/** The cluster by which a proxy reaches its own application. */
export function ingressClusterName(node: ResourceId, listener: { protocol: Protocol; port: number }): string {
	return `cds_ingress_${targetName(node, listener.protocol, listener.port)}`
}

/** Where traffic goes that no virtual service speaks for, if the mesh allows it. */
export function passThroughClusterName(mesh: string): string {
	return `cds_egress_${mesh}_mesh-allow-all`
}

/** Where calls of AWS's own services go. */
export function amazonawsClusterName(mesh: string): string {
	return `cds_egress_${mesh}_amazonaws`
}

/** A gateway's way from a listener to its own egress listener, whatever port that binds. */
export function gatewaySelfClusterName(
	gateway: VirtualGateway,
	listener: { protocol: Protocol; port: number },
): string {
	const ofPort = gateway.spec.listeners.length > 1 ? `${listener.port}_` : ''
	return `cds_ingress_${gateway.mesh}_${gateway.name}_self_redirect_${ofPort}${listener.protocol}_15001`
}

/** Ours: where a proxy sends its traces. It has one such place at most. */
export const collectorClusterName = 'sluice-tracing'

/** `mesh/apps/virtualNode/serviceB` → `apps_serviceB_http2_80`. */
function targetName(node: ResourceId, protocol: Protocol, port: number): string {
	const [, mesh, , name] = node.split('/')
	return `${mesh}_${name}_${protocol}_${port}`
}

/** Whose configuration carries any of the routes, in some capture mode, sorted: those to whom a change of shares matters. */
export function callersOf(
	{ resources }: Pick<EffectiveMesh, 'resources'>,
	routes: readonly ResourceId[],
): readonly ProxyIdentity[] {
	return knownCallers(resources, routes.join(' '), () => findCallers(resources, routes))
}

// A step of a rollout leaves the resources as they are.
const knownCallers = madeFor<Resources, readonly ProxyIdentity[]>()
const knownCarriers = madeOfBoth((_: Resources, __: ProxyGroup) => new Map<string, readonly Carrier[]>())

function findCallers(resources: Resources, routes: readonly ResourceId[]): readonly ProxyIdentity[] {
	const { services, callers } = meshIndex(resources)
	const routers = routes.flatMap((route) => {
		const found = resources[route]
		return found?.kind === 'Route' ? [found.spec.virtualRouter] : []
	})
	const found = new Set<Caller>()
	for (const service of [...new Set(routers)].flatMap((router) => services.get(router) ?? [])) {
		const leading = servicePorts(resources, service).filter(({ upstream }) => leadsTo(upstream, routes))
		const takesRequests = leading.some(({ protocol }) => protocol !== 'tcp')
		for (const caller of leading.length === 0 ? [] : (callers.get(service.id) ?? []))
			if (takesRequests || connects(resources, caller, routes)) found.add(caller)
	}
	return [...found].sort((left, right) => (left.id < right.id ? -1 : 1)).map(identityOf)
}

/** Of two services on one port only one is reached over TCP. */
function connects(resources: Resources, caller: Caller, routes: readonly ResourceId[]): boolean {
	return possibleTcpEgresses(resources, caller).some(({ upstream }) => leadsTo(upstream, routes))
}

export type Carrier = { readonly typeUrl: TypeUrl; readonly name: string }

/**
 * What carries the shares of some routes at the group's proxies: route configurations, or for TCP routes listeners. None
 * when the group does not call them, or a TCP route is never reached: another has its port.
 */
export function carriersOf(
	{ resources }: Pick<EffectiveMesh, 'resources'>,
	group: ProxyGroup,
	routes: readonly ResourceId[],
): readonly Carrier[] {
	const known = knownCarriers(resources, group)
	const key = routes.join(' ')
	const carriers = known.get(key) ?? findCarriers(resources, group, routes)
	known.set(key, carriers)
	return carriers
}

function findCarriers(resources: Resources, group: ProxyGroup, routes: readonly ResourceId[]): readonly Carrier[] {
	const { capture } = group
	const caller = callerOf(resources, group.identity)
	if (caller === null) return []
	const tables = egressTables(resources, caller, capture.mode)
		.filter(({ hosts }) => hosts.some(({ upstream }) => leadsTo(upstream, routes)))
		.map(({ name }) => name)
	const listeners = tcpEgresses(resources, caller, capture)
		.filter(({ upstream }) => leadsTo(upstream, routes))
		.map(({ port }) => (capture.mode === 'intercept' ? egressListenerName : tcpEgressListenerName(port)))
	return [
		...tables.map((name) => ({ typeUrl: typeUrls.route, name })),
		...[...new Set(listeners)].map((name) => ({ typeUrl: typeUrls.listener, name })),
	]
}

function leadsTo(upstream: Upstream, routes: readonly ResourceId[]): boolean {
	return upstream.kind === 'router' && upstream.routes.some(({ id }) => routes.includes(id))
}
