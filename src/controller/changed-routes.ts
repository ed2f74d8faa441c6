import type { ResourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'

type Changed = readonly ResourceId[] | null

/** Every group of proxies asks for the same. */
const known = new WeakMap<EffectiveMesh, { readonly after: EffectiveMesh; readonly changed: Changed }>()

/**
 * Routes of which something else may be in force than before; null when that is not all that has changed: another mesh
 * was applied.
 */
export function changedRoutes(before: EffectiveMesh, after: EffectiveMesh): Changed {
	const found = known.get(before)
	if (found?.after === after) return found.changed
	const changed = before.resources === after.resources ? compare(before, after) : null
	known.set(before, { after, changed })
	return changed
}

type ByRoute = Readonly<Record<ResourceId, unknown>>

function compare({ resources: _, ...before }: EffectiveMesh, { resources: __, ...after }: EffectiveMesh): ResourceId[] {
	const changed = new Set<ResourceId>()
	// All that is in force beside the resources is by route.
	const parts: Readonly<Record<keyof typeof after, ByRoute>> = after
	for (const part of Object.keys(parts) as (keyof typeof after)[]) {
		const [old, present]: [ByRoute, ByRoute] = [before[part], parts[part]]
		for (const route of routesOf(present)) if (old[route] !== present[route]) changed.add(route)
		for (const route of routesOf(old)) if (present[route] === undefined) changed.add(route)
	}
	return [...changed]
}

function routesOf(record: ByRoute): ResourceId[] {
	return Object.keys(record) as ResourceId[]
}
