import { cloneProblem, sharingOf } from '#compile/sharing.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { Shift } from '#plan/plan.ts'
import { effectiveMesh } from './effective.ts'

/** By which clusters a rollout will be judged. */
export type PlannedClusters =
	| { readonly kind: 'theirs' }
	/** Others send requests to its targets too, so the route gets clusters of its own while it is under rollout. */
	| { readonly kind: 'clones'; readonly sharedWith: readonly string[] }
	/** Others do, and it cannot have any: the rollout will be held before its first step. */
	| { readonly kind: 'shared'; readonly sharedWith: readonly string[]; readonly problem: string }

export function plannedClusters({ route, rising, falling }: Shift, before: Mesh, after: Mesh): PlannedClusters {
	const targets = [...rising, ...falling]
	const effective = [before, after].map((mesh) => effectiveMesh(mesh, []))
	const found = effective.flatMap((mesh) => sharingOf(mesh, route, targets).now)
	const sharedWith = [...new Set(found)].sort()
	const written = after.resources[route]
	if (sharedWith.length === 0 || written?.kind !== 'Route') return { kind: 'theirs' }
	const problem = cloneProblem(effectiveMesh(after, []), written, targets)
	return problem === null ? { kind: 'clones', sharedWith } : { kind: 'shared', sharedWith, problem }
}
