import { assert } from '#base/assert.ts'
import type { CompiledResource, TypeUrl } from '#compile/compiled.ts'
import { type Encode, encodeResource } from './encode-resource.ts'
import { snapshotOf, typeSnapshotOf } from './encode-snapshot.ts'
import type { EncodedResource, Snapshot } from './snapshot.ts'

/**
 * A snapshot in which these resources stand in the place of those of their names, as `encodeSnapshot` would make it of
 * all. The same object when none of them is another.
 */
export function replaceResources(
	snapshot: Snapshot,
	compiled: readonly CompiledResource[],
	encode: Encode = encodeResource,
): Snapshot {
	const replaced = new Map<TypeUrl, Map<string, EncodedResource>>()
	for (const resource of compiled) {
		const { typeUrl, name, key } = resource
		const before = snapshot.types[typeUrl].resources.get(name)
		assert(before !== undefined, 'what is replaced is there')
		if (before.key === key) continue
		const ofType = replaced.get(typeUrl) ?? new Map<string, EncodedResource>()
		replaced.set(typeUrl, ofType)
		ofType.set(name, encode(resource))
	}
	if (replaced.size === 0) return snapshot
	const types = { ...snapshot.types }
	for (const [typeUrl, ofType] of replaced) {
		// In the place that they had: a type stays sorted.
		const resources = new Map(snapshot.types[typeUrl].resources)
		for (const [name, resource] of ofType) resources.set(name, resource)
		types[typeUrl] = typeSnapshotOf(resources)
	}
	return snapshotOf(types)
}
