import { compareText } from '#base/diagnostic.ts'
import { sha256Hex } from '#base/hash.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { Mesh, Resource, ResourceId } from './mesh.ts'

/**
 * A Mesh of the given resources: sorted by id, frozen, and hashed. They may come from several revisions; whether they
 * link is for `findBrokenLinks` to say.
 */
export function composeMesh(resources: Readonly<Record<ResourceId, Resource>>): Mesh {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	const byId: Record<ResourceId, Resource> = {}
	for (const resource of sorted) byId[resource.id] = resource
	return deepFreeze({ hash: hashOf(sorted), resources: byId })
}

/** `hashValue` of the same, in less time: lists of texts are canonical as they are. */
function hashOf(sorted: readonly Resource[]): string {
	return sha256Hex(JSON.stringify(sorted.map(({ id, hash }) => [id, hash])))
}
