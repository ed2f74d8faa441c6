import { identityPath } from '#compile/compiled.ts'
import { callersOf } from '#compile/names.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'

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

function compare(before: EffectiveMesh, after: EffectiveMesh): ChangedRoutes {
	const routes = [...routesToCompare(before, after)].filter((route) => differs(route, before, after))
	return { routes, callers: new Set(callersOf(after, routes).map(identityPath)) }
}

/** All that is in force beside the resources is by route. */
function partsOf({ resources: _, ...parts }: EffectiveMesh) {
	return parts
}

/** Where both have the same object there is nothing to compare: all that is written, however many routes there are. */
function routesToCompare(before: EffectiveMesh, after: EffectiveMesh): Set<ResourceId> {
	const [old, present] = [Object.values(partsOf(before)), Object.values(partsOf(after))]
	const changed = [...old.filter((part) => !present.includes(part)), ...present.filter((part) => !old.includes(part))]
	return new Set(changed.flatMap((part) => Object.keys(part) as ResourceId[]))
}

function differs(route: ResourceId, before: EffectiveMesh, after: EffectiveMesh): boolean {
	if (splitOf(before, route) !== splitOf(after, route)) return true
	const { written: _written, moved: _moved, ...others } = partsOf(after)
	const names = Object.keys(others) as (keyof typeof others)[]
	return names.some((name) => before[name][route] !== after[name][route])
}
