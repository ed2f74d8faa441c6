import type { Resource, ResourceId } from '#mesh/mesh.ts'

type Resources = Readonly<Record<ResourceId, Resource>>
type Known = { readonly before: Resources; readonly changed: readonly Resource[]; readonly gone: readonly Resource[] }

/** Asked several times for each commit, of the same two meshes. By the later one, of frozen ones: others may change. */
const known = new WeakMap<Resources, Known>()

/** What is in the second and was not in the first, or was another there. */
export function changedResources(before: Resources, after: Resources): readonly Resource[] {
	return before === after ? [] : compare(before, after).changed
}

/** What is another in the second, or in one of them alone: as it is in the second, if it is there. */
export function differingResources(before: Resources, after: Resources): Resource[] {
	if (before === after) return []
	const { gone, changed } = compare(before, after)
	return [...gone, ...changed]
}

function compare(before: Resources, after: Resources): Known {
	const found = known.get(after)
	if (found?.before === before) return found
	const changed = Object.values(after).filter((resource) => {
		const old = before[resource.id]
		return old !== resource && old?.hash !== resource.hash
	})
	const gone = Object.values(before).filter(({ id }) => after[id] === undefined)
	const made: Known = { before, changed, gone }
	if (Object.isFrozen(before) && Object.isFrozen(after)) known.set(after, made)
	return made
}

/** The ids of these, in their order. */
export function differingIds(before: Resources, after: Resources): ResourceId[] {
	return differingResources(before, after)
		.map(({ id }) => id)
		.sort()
}
