// The names that App Mesh gave Envoy's configuration, byte for byte: dashboards and alarms are keyed on them. None of
// their parts can hold a dot or a colon, which would break the tags that Envoy takes out of its statistics' names.
import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { ProxyGroup, ProxyIdentity } from './compiled.ts'
import { egressTables } from './egress-table.ts'
import { meshIndex } from './mesh-index.ts'
import { virtualNodeOf } from './virtual-node-of.ts'

export type Resources = Readonly<Record<ResourceId, Resource>>

/** Whatever address and port a listener binds, it keeps App Mesh's name. */
export const egressListenerName = 'lds_egress_0.0.0.0_15001'
export const ingressListenerName = 'lds_ingress_0.0.0.0_15000'

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

/** `mesh/apps/virtualNode/serviceB` → `apps_serviceB_http2_80`. */
function targetName(node: ResourceId, protocol: Protocol, port: number): string {
	const [, mesh, , name] = node.split('/')
	return `${mesh}_${name}_${protocol}_${port}`
}

/** Whose route configurations carry the route, sorted: the proxies to which a change of its shares matters. */
export function callersOf(effective: EffectiveMesh, route: ResourceId): ProxyIdentity[] {
	const { resources } = effective
	const found = resources[route]
	if (found?.kind !== 'Route') return []
	const { services, callers } = meshIndex(resources)
	const nodes = (services.get(found.spec.virtualRouter) ?? []).flatMap(({ id }) => callers.get(id) ?? [])
	return [...new Set(nodes)]
		.filter((node) => egressTables(resources, node, 'explicit').some((table) => carries(table, route)))
		.sort((left, right) => (left.id < right.id ? -1 : 1))
		.map(({ mesh, name }) => ({ mesh, kind: 'virtualNode', name }))
}

/** Names of the group's route configurations that carry the route: none when it does not call it. */
export function routeConfigurationsOf(effective: EffectiveMesh, group: ProxyGroup, route: ResourceId): string[] {
	const node = virtualNodeOf(effective.resources, group.identity)
	if (node === null) return []
	const tables = egressTables(effective.resources, node, group.capture.mode)
	return tables.filter((table) => carries(table, route)).map(({ name }) => name)
}

function carries(table: ReturnType<typeof egressTables>[number], route: ResourceId): boolean {
	return table.hosts.some(
		({ upstream }) => upstream.kind === 'router' && upstream.routes.some(({ id }) => id === route),
	)
}
