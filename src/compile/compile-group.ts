// From what is in force to what one group of proxies is to hold. Nothing is built here: each resource carries a key of
// what it would be made from, so that a change of one weight costs one route configuration, however large the mesh.
import type { Discovered } from '#discovery/discovered.ts'
import { resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { compileEgressCluster } from './cluster/egress-cluster.ts'
import { compileIngressCluster } from './cluster/ingress-cluster.ts'
import { compilePassThroughCluster } from './cluster/pass-through-cluster.ts'
import type { Capture, CompiledResource, ProxyGroup } from './compiled.ts'
import { type EgressTable, egressTables } from './egress-table.ts'
import { compileEgressListener } from './listener/egress-listener.ts'
import { compileIngressListener } from './listener/ingress-listener.ts'
import type { Resources } from './names.ts'
import { compileEgressRoutes } from './route/egress-routes.ts'
import { compileIngressRoutes } from './route/ingress-routes.ts'
import { virtualNodeOf } from './virtual-node-of.ts'

/** All resources of a group, in no particular order, each name once a type; null when its identity is not in the mesh. */
export function compileGroup(
	effective: EffectiveMesh,
	group: ProxyGroup,
	_discovered: Discovered,
): readonly CompiledResource[] | null {
	const { resources } = effective
	const { capture } = group
	const node = virtualNodeOf(resources, group.identity)
	if (node === null) return null
	const tables = egressTables(resources, node, capture.mode)
	const passThrough =
		capture.mode === 'intercept' && allowsAll(node, resources) ? compilePassThroughCluster(node.mesh) : null
	return [
		...egressClusters(effective, tables),
		passThrough,
		...node.spec.listeners.map((listener) => compileIngressCluster(node, listener, appOf(listener, capture))),
		compileEgressListener({ node, capture, tables, passThrough: passThrough?.name ?? null }),
		compileIngressListener(node, capture),
		...tables.map((table) => compileEgressRoutes(effective, node, table)),
		...node.spec.listeners.map((listener) => compileIngressRoutes(node, listener)),
	].filter((resource) => resource !== null)
}

/** A cluster for each target that some share names, or that is to be ready before one does. */
function egressClusters(effective: EffectiveMesh, tables: readonly EgressTable[]): CompiledResource[] {
	const clusters = new Map<string, CompiledResource>()
	for (const target of reachableTargets(effective, tables)) {
		const cluster = compileEgressCluster(target, effective.resources)
		if (cluster !== null) clusters.set(cluster.name, cluster)
	}
	return [...clusters.values()]
}

function* reachableTargets({ splits, prepared }: EffectiveMesh, tables: readonly EgressTable[]): Iterable<Target> {
	for (const { upstream } of tables.flatMap((table) => table.hosts)) {
		if (upstream.kind === 'node') yield upstream.target
		else for (const { id } of upstream.routes) yield* [...(splits[id] ?? []), ...(prepared[id] ?? [])]
	}
}

function allowsAll(node: VirtualNode, resources: Resources): boolean {
	const mesh = resources[resourceId.mesh(node.mesh)]
	return mesh?.kind === 'Mesh' && mesh.spec.egressFilter === 'ALLOW_ALL'
}

/** Intercepted traffic was on its way to the application's own port on this machine. */
function appOf({ port }: VirtualNodeListener, capture: Capture): { address: string; port: number } {
	if (capture.mode === 'intercept') return { address: '127.0.0.1', port }
	return { address: capture.app.address, port: capture.app.port ?? port }
}
