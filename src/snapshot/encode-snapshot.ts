import { assert } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import { sha256Hex } from '#base/hash.ts'
import { type CompiledResource, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Encode, encodeResource, versionDigits } from './encode-resource.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from './snapshot.ts'

/**
 * What a group is served, in bytes. A resource with the key it had before is taken over as it is, and a type of which
 * nothing changed too; `encoded` counts the resources that had to be built.
 */
export function encodeSnapshot(
	compiled: readonly CompiledResource[],
	previous: Snapshot | null,
	encode: Encode = encodeResource,
): { readonly snapshot: Snapshot; readonly encoded: number } {
	let encoded = 0
	const encodeType = (typeUrl: TypeUrl): TypeSnapshot => {
		const before = previous?.types[typeUrl] ?? null
		const resources = compiled
			.filter((resource) => resource.typeUrl === typeUrl)
			.sort((left, right) => compareText(left.name, right.name))
			.map((resource) => {
				const known = before?.resources.get(resource.name)
				if (known?.key === resource.key) return known
				encoded += 1
				return encode(resource)
			})
		return typeSnapshot(resources, before)
	}
	const types: Record<TypeUrl, TypeSnapshot> = {
		[typeUrls.cluster]: encodeType(typeUrls.cluster),
		[typeUrls.endpoint]: encodeType(typeUrls.endpoint),
		[typeUrls.listener]: encodeType(typeUrls.listener),
		[typeUrls.route]: encodeType(typeUrls.route),
		[typeUrls.secret]: encodeType(typeUrls.secret),
	}
	return { snapshot: snapshotOf(types), encoded }
}

export function snapshotOf(types: Snapshot['types']): Snapshot {
	return { version: versionOf(Object.values(types).map((type) => type.version)), types }
}

/** @param resources sorted by name */
export function typeSnapshotOf(resources: TypeSnapshot['resources']): TypeSnapshot {
	return { version: versionOf([...resources.values()].map(({ name, version }) => `${name} ${version}`)), resources }
}

function typeSnapshot(encoded: readonly EncodedResource[], before: TypeSnapshot | null): TypeSnapshot {
	const resources = new Map(encoded.map((resource) => [resource.name, resource]))
	assert(resources.size === encoded.length, 'each name is compiled once a type')
	if (before !== null && isUnchanged(resources, before)) return before
	return typeSnapshotOf(resources)
}

function isUnchanged(resources: TypeSnapshot['resources'], before: TypeSnapshot): boolean {
	if (resources.size !== before.resources.size) return false
	return [...resources].every(([name, resource]) => before.resources.get(name) === resource)
}

function versionOf(parts: readonly string[]): string {
	return sha256Hex(parts.join('\n')).slice(0, versionDigits)
}
