import { identityPath, type ProxyGroup } from '#compile/compiled.ts'
import { recompileRoutes } from '#compile/recompile-routes.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Encode } from '#snapshot/encode-resource.ts'
import { findInconsistenciesAmong } from '#snapshot/find-inconsistencies.ts'
import { replaceResources } from '#snapshot/replace-resources.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { ChangedRoutes } from './changed-routes.ts'

/** A snapshot, and the mesh that all of it was made from: nothing in it stands in for something else. */
export type Made = { readonly from: EffectiveMesh; readonly snapshot: Snapshot }

/**
 * What a group is served when nothing has changed that concerns it but some routes: most of a rollout's life, and most
 * commits. Null when everything is to be worked out again: other clusters, or something that does not fit together.
 * @param changed `changedRoutes` of the two meshes
 */
export function withOtherShares(
	group: ProxyGroup,
	{ from, snapshot }: Made,
	{ effective, changed }: { readonly effective: EffectiveMesh; readonly changed: ChangedRoutes | null },
	encode?: Encode,
): Snapshot | null {
	if (changed === null || changed.otherwise.has(identityPath(group.identity))) return null
	if (!changed.callers.has(identityPath(group.identity))) return snapshot
	const compiled = recompileRoutes({ group, before: from, effective, routes: changed.routes })
	if (compiled === null) return null
	const next = replaceResources(snapshot, compiled, encode)
	const replaced = compiled.flatMap(({ typeUrl, name }) => next.types[typeUrl].resources.get(name) ?? [])
	return findInconsistenciesAmong(replaced, next).length > 0 ? null : next
}
