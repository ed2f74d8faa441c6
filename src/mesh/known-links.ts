import { canonicalJson } from '#base/hash.ts'
import { findIdleFronts } from './idle-fronts.ts'
import { findBrokenLinks } from './link.ts'
import type { LinkFinding, Resources } from './link-finding.ts'
import { findLooseLinks } from './loose-links.ts'
import type { Resource } from './mesh.ts'
import type { RouteSpec } from './route-spec.ts'

/** What is wrong between resources of a mesh that is read whole: what is refused, and what is warned of. */
export type FoundLinks = {
	readonly resources: Resources
	readonly broken: readonly LinkFinding[]
	readonly loose: readonly LinkFinding[]
}

/** @param before what was found of a revision before: most commits change nothing that any of it is about */
export function findLinks(resources: Resources, before: FoundLinks | null): FoundLinks {
	if (before !== null && areLinkedAlike(before.resources, resources)) return { ...before, resources }
	return {
		resources,
		broken: [...findBrokenLinks(resources), ...findIdleFronts(resources)],
		loose: findLooseLinks(resources),
	}
}

function areLinkedAlike(before: Resources, after: Resources): boolean {
	const resources = Object.values(after)
	if (Object.keys(before).length !== resources.length) return false
	return resources.every((resource) => {
		const old = before[resource.id]
		return old === resource || (old !== undefined && isLinkedAlike(old, resource))
	})
}

/** Other shares, timeouts and retries of a route lead nowhere else. */
function isLinkedAlike(before: Resource, after: Resource): boolean {
	if (before.kind !== 'Route' || after.kind !== 'Route') return false
	return canonicalJson(linksOf(before.spec)) === canonicalJson(linksOf(after.spec))
}

function linksOf({ timeout: _, retryPolicy: __, targets, ...spec }: RouteSpec): unknown {
	return { ...spec, targets: targets.map(({ weight: _weight, ...target }) => target) }
}
