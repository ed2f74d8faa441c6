import { compareText } from '#base/diagnostic.ts'
import { hashValue } from '#base/hash.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { Mesh, Resource, ResourceId } from './mesh.ts'

/**
 * A Mesh of the given resources: sorted by id, frozen, and hashed. They may come from several revisions; whether they
 * link is for `findBrokenLinks` to say.
 */
export function composeMesh(resources: Readonly<Record<ResourceId, Resource>>): Mesh {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	return deepFreeze({
		hash: hashValue(sorted.map((resource) => [resource.id, resource.hash])),
		resources: Object.fromEntries(sorted.map((resource) => [resource.id, resource])),
	})
}
