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

/** A cluster for each target that some share names, or that is to be ready before one does, and what it brings along. */
export function compileEgressClusters(
	{ effective, group, discovered }: GroupInput,
	tables: readonly EgressTable[],
	tcp: readonly TcpEgress[],
): CompiledResource[] {
	const { resources } = effective
	const reached = new Map<string, { readonly target: Target; readonly clientTls: Set<ClientTls | null> }>()
	for (const { upstream, clientTls } of [...tables.flatMap(({ hosts }) => hosts), ...tcp] satisfies Way[]) {
		for (const target of targetsOf(effective, upstream)) {
			const key = `${target.virtualNode} ${target.port}`
			const known = reached.get(key)
			if (known === undefined) reached.set(key, { target, clientTls: new Set([clientTls]) })
			else known.clientTls.add(clientTls)
		}
	}
	return [...reached.values()].flatMap(({ target, clientTls }) =>
		compileEgressCluster(target, { resources, clientTls: [...clientTls], discovered, secrets: group.secrets }),
	)
}

function* targetsOf({ splits, prepared }: EffectiveMesh, upstream: Upstream): Iterable<Target> {
	if (upstream.kind === 'node') yield upstream.target
	else for (const { id } of upstream.routes) yield* [...(splits[id] ?? []), ...(prepared[id] ?? [])]
}
