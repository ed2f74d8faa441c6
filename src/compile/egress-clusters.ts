import type { ResourceId } from '#mesh/mesh.ts'
import type { ClientTls } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'
import { besideClusterName, cloneClusterName } from './clone-names.ts'
import { compileEgressCluster, type OwnCluster } from './cluster/egress-cluster.ts'
import type { CompiledResource } from './compiled.ts'
import type { EgressTable } from './egress-table.ts'
import type { GroupInput } from './group-input.ts'
import type { TcpEgress } from './tcp-egress.ts'
import type { Upstream } from './upstream.ts'

type Way = { readonly upstream: Upstream; readonly clientTls: ClientTls | null }

/** A target, and the policies of all ways that lead to it: a route's own clusters have the same as the one that all share. */
type Reached = {
	readonly target: Target
	readonly clientTls: Set<ClientTls | null>
	/** By name. */
	readonly own: Map<string, OwnCluster>
}

/** A cluster for each target that some share names, or that is to be ready before one does, and what it brings along. */
export function compileEgressClusters(
	{ effective, group, discovered }: GroupInput,
	tables: readonly EgressTable[],
	tcp: readonly TcpEgress[],
): CompiledResource[] {
	const { resources } = effective
	const reached = new Map<string, Reached>()
	for (const { upstream, clientTls } of [...tables.flatMap(({ hosts }) => hosts), ...tcp] satisfies Way[]) {
		for (const { target, own } of targetsOf(effective, upstream)) {
			const key = `${target.virtualNode} ${target.port}`
			const known = reached.get(key) ?? { target, clientTls: new Set(), own: new Map() }
			reached.set(key, known)
			known.clientTls.add(clientTls)
			if (own !== null) known.own.set(own.name, own)
		}
	}
	return [...reached.values()].flatMap(({ target, clientTls, own }) => {
		const options = { resources, clientTls: [...clientTls], discovered, secrets: group.secrets }
		return [null, ...own.values()].flatMap((cluster) => compileEgressCluster(target, { ...options, own: cluster }))
	})
}

type ReachedBy = { readonly target: Target; readonly own: OwnCluster | null }

function* targetsOf(effective: EffectiveMesh, upstream: Upstream): Iterable<ReachedBy> {
	if (upstream.kind === 'node') return yield { target: upstream.target, own: null }
	for (const { id } of upstream.routes) yield* targetsOfRoute(effective, id)
}

/** A route's own cluster is there beside the shared one, never in its place: the way to it and the way back lead over both. */
export function* targetsOfRoute(effective: EffectiveMesh, id: ResourceId): Iterable<ReachedBy> {
	for (const target of [...(splitOf(effective, id) ?? []), ...(effective.prepared[id] ?? [])])
		yield { target, own: null }
	yield* ownOf(effective, id)
}

/** Routes that are one rollout have them together. */
function* ownOf({ resources, clones, fronts, mirrors }: EffectiveMesh, id: ResourceId): Iterable<ReachedBy> {
	const [clone, front, mirror] = [clones[id], fronts[id], mirrors[id]]
	const own = (target: Target, route: ResourceId, name: string) => ({ target, own: { route, name } })
	if (clone !== undefined)
		for (const target of clone.targets)
			yield own(target, clone.calledAfter, cloneClusterName(target, clone.calledAfter, resources))
	const beside = (way: 'front' | 'mirror', target: Target, calledAfter: ResourceId) =>
		own(target, calledAfter, besideClusterName(way, { target, calledAfter, resources }))
	if (front !== undefined) for (const target of front.split) yield beside('front', target, front.calledAfter)
	if (mirror !== undefined) for (const target of mirror.copies) yield beside('mirror', target, mirror.calledAfter)
}
