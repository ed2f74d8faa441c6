import { identityPath } from '#compile/compiled.ts'
import { callersOf } from '#compile/names.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { movedRoutes } from './effective.ts'

export type ChangedRoutes = {
	readonly routes: readonly ResourceId[]
	/** `identityPath` of those whose configuration carries any of them. */
	readonly callers: ReadonlySet<string>
}

/** Every group of proxies asks for the same. */
const known = new WeakMap<EffectiveMesh, { readonly after: EffectiveMesh; readonly changed: ChangedRoutes | null }>()

/**
 * Routes of which something else may be in force than before; null when that is not all that has changed: another mesh
 * was applied.
 */
export function changedRoutes(before: EffectiveMesh, after: EffectiveMesh): ChangedRoutes | null {
	const found = known.get(before)
	if (found?.after === after) return found.changed
	const changed = before.resources === after.resources ? compare(before, after) : null
	known.set(before, { after, changed })
	return changed
}

type ByRoute = Readonly<Record<ResourceId, unknown>>

function compare(before: EffectiveMesh, after: EffectiveMesh): ChangedRoutes {
	const [old, present] = [partsOf(before), partsOf(after)]
	const names = Object.keys(present) as (keyof typeof present)[]
	const routes = [...routesToCompare(before, after)].filter((route) =>
		names.some((name) => old[name][route] !== present[name][route]),
	)
	return { routes, callers: new Set(callersOf(after, routes).map(identityPath)) }
}

/** All that is in force beside the resources is by route. */
function partsOf({ resources: _, ...parts }: EffectiveMesh): Readonly<Record<keyof typeof parts, ByRoute>> {
	return parts
}

/** Of all that no rollout has moved the same is in force: they are not looked at, however many they are. */
function routesToCompare(before: EffectiveMesh, after: EffectiveMesh): Iterable<ResourceId> {
	const [old, present] = [movedRoutes(before), movedRoutes(after)]
	if (old !== null && present !== null) return new Set([...old, ...present])
	const parts = [before, after].flatMap((effective) => Object.values(partsOf(effective)))
	return new Set(parts.flatMap((part) => Object.keys(part) as ResourceId[]))
}
