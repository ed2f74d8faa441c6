import type { ResourceId } from '#mesh/mesh.ts'
import type { ClientTls } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { compileEgressCluster } from './cluster/egress-cluster.ts'
import type { CompiledResource } from './compiled.ts'
import type { EgressTable } from './egress-table.ts'
import type { GroupInput } from './group-input.ts'
import type { TcpEgress } from './tcp-egress.ts'
import type { Upstream } from './upstream.ts'

type Way = { readonly upstream: Upstream; readonly clientTls: ClientTls | null }

/** A target, and the policies of all ways that lead to it: its clones have the same as the cluster that all share. */
type Reached = { readonly target: Target; readonly clientTls: Set<ClientTls | null>; readonly cloneOf: Set<ResourceId> }

/** A cluster for each target that some share names, or that is to be ready before one does, and what it brings along. */
export function compileEgressClusters(
	{ effective, group, discovered }: GroupInput,
	tables: readonly EgressTable[],
	tcp: readonly TcpEgress[],
): CompiledResource[] {
	const { resources } = effective
	const reached = new Map<string, Reached>()
	for (const { upstream, clientTls } of [...tables.flatMap(({ hosts }) => hosts), ...tcp] satisfies Way[]) {
		for (const { target, cloneOf } of targetsOf(effective, upstream)) {
			const key = `${target.virtualNode} ${target.port}`
			const known = reached.get(key) ?? { target, clientTls: new Set(), cloneOf: new Set() }
			reached.set(key, known)
			known.clientTls.add(clientTls)
			if (cloneOf !== null) known.cloneOf.add(cloneOf)
		}
	}
	return [...reached.values()].flatMap(({ target, clientTls, cloneOf }) => {
		const options = { resources, clientTls: [...clientTls], discovered, secrets: group.secrets }
		return [null, ...cloneOf].flatMap((route) => compileEgressCluster(target, { ...options, cloneOf: route }))
	})
}

type ReachedBy = { readonly target: Target; readonly cloneOf: ResourceId | null }

/** A clone is there beside the shared cluster, never in its place: the way to it and the way back lead over both. */
function* targetsOf({ splits, prepared, clones }: EffectiveMesh, upstream: Upstream): Iterable<ReachedBy> {
	if (upstream.kind === 'node') return yield { target: upstream.target, cloneOf: null }
	for (const { id } of upstream.routes) {
		for (const target of [...(splits[id] ?? []), ...(prepared[id] ?? [])]) yield { target, cloneOf: null }
		for (const target of clones[id]?.targets ?? []) yield { target, cloneOf: id }
	}
}
