import type { Resource, ResourceId } from '#mesh/mesh.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** What is in the second and was not in the first, or was another there. */
export function changedResources(before: Resources, after: Resources): Resource[] {
	if (before === after) return []
	return Object.values(after).filter((resource) => {
		const old = before[resource.id]
		return old !== resource && old?.hash !== resource.hash
	})
}

/** What is another in the second, or in one of them alone: as it is in the second, if it is there. */
export function differingResources(before: Resources, after: Resources): Resource[] {
	if (before === after) return []
	const gone = Object.values(before).filter(({ id }) => after[id] === undefined)
	return [...gone, ...changedResources(before, after)]
}

/** The ids of these, in their order. */
export function differingIds(before: Resources, after: Resources): ResourceId[] {
	return differingResources(before, after)
		.map(({ id }) => id)
		.sort()
}
