import { limits } from '#base/limits.ts'
import { identityPath } from '#compile/compiled.ts'
import { callersOf } from '#compile/names.ts'
import { seenBy } from '#compile/seen-by.ts'
import type { Resource, ResourceId } from '#mesh/mesh.ts'
import { differingResources } from '#plan/differing-resources.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'

export type ChangedRoutes = {
	readonly routes: readonly ResourceId[]
	/** `identityPath` of those whose configuration carries any of them. */
	readonly callers: ReadonlySet<string>
	/** `identityPath` of those for whom more may have changed than their callers' route configurations. */
	readonly otherwise: ReadonlySet<string>
}

/** Every group of proxies asks for the same. */
const known = new WeakMap<EffectiveMesh, { readonly after: EffectiveMesh; readonly changed: ChangedRoutes | null }>()

/**
 * Routes of which something else is in force than before, or is written; and who is served otherwise by what else has
 * changed. Null when so much has that it is not worth finding out.
 */
export function changedRoutes(before: EffectiveMesh, after: EffectiveMesh): ChangedRoutes | null {
	const found = known.get(before)
	if (found?.after === after) return found.changed
	const changed = compare(before, after)
	known.set(before, { after, changed })
	return changed
}

function compare(before: EffectiveMesh, after: EffectiveMesh): ChangedRoutes | null {
	const differing = differingResources(before.resources, after.resources)
	// Of a rollout's policy nothing is compiled.
	const written = differing.filter(({ kind }) => kind !== 'RolloutPolicy').map(({ id }) => id)
	const routes = written.filter((id) => isRewritten(before.resources[id], after.resources[id]))
	const moved = [...routesToCompare(before, after)].filter((route) => differs(route, before, after))
	const others = new Set(written.filter((id) => !routes.includes(id)))
	if (written.length > limits.changesFollowed) return null
	const seers = [seenBy(before, others), seenBy(after, others), gatewaysAmong(after, routes)]
	if (seers.includes('all')) return null
	const all = [...new Set([...routes, ...moved])]
	return {
		routes: all,
		callers: new Set(callersOf(after, all).map(identityPath)),
		otherwise: new Set(seers.flatMap((ids) => (ids === 'all' ? [] : [...ids]))),
	}
}

/** It is for the same requests of the same router's ports; connections are part of listeners. */
function isRewritten(before: Resource | undefined, after: Resource | undefined): boolean {
	if (before?.kind !== 'Route' || after?.kind !== 'Route') return false
	const [old, present] = [before.spec, after.spec]
	return (
		old.virtualRouter === present.virtualRouter &&
		old.match.kind !== 'tcp' &&
		present.match.kind !== 'tcp' &&
		old.match.port === present.match.port
	)
}

/** A gateway's way in waits as long as the routes behind it. */
function gatewaysAmong(effective: EffectiveMesh, routes: readonly ResourceId[]): ReadonlySet<ResourceId> | 'all' {
	const seers = seenBy(effective, new Set(routes))
	if (seers === 'all') return seers
	return new Set([...seers].filter((id) => effective.resources[id]?.kind === 'VirtualGateway'))
}

/** All that is in force beside what is written is by route. */
function partsOf({ resources: _, written: _written, ...parts }: EffectiveMesh) {
	return parts
}

function routesToCompare(before: EffectiveMesh, after: EffectiveMesh): Set<ResourceId> {
	const parts = [before, after].flatMap((effective) => Object.values(partsOf(effective)))
	return new Set(parts.flatMap((part) => Object.keys(part) as ResourceId[]))
}

function differs(route: ResourceId, before: EffectiveMesh, after: EffectiveMesh): boolean {
	if (splitOf(before, route) !== splitOf(after, route)) return true
	const { moved: _, ...others } = partsOf(after)
	const names = Object.keys(others) as (keyof typeof others)[]
	return names.some((name) => before[name][route] !== after[name][route])
}
