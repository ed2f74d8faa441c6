import type { ResourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'

/** Resources that were not there before, or are others. */
export function changedResources(before: EffectiveMesh['resources'], after: EffectiveMesh['resources']): ResourceId[] {
	if (before === after) return []
	return Object.values(after)
		.filter(({ id, hash }) => before[id]?.hash !== hash)
		.map(({ id }) => id)
}
