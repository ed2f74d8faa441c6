import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'

// What a proxy refuses is bytes that have a version. What was written otherwise when that version was published for the
// first time is probably why.

export type Suspects = {
	/** A snapshot is published: what in it is new is made of what has changed, or else of all that it is made of. */
	note(snapshot: Snapshot, before: Snapshot | null, changed: ReadonlySet<ResourceId>): void
	/** Null: the version was never published, or is forgotten. */
	of(version: string): readonly ResourceId[] | null
}

export function createSuspects(): Suspects {
	const suspects = new Map<string, readonly ResourceId[]>()
	return {
		note(snapshot, before, changed) {
			for (const resource of otherResources(snapshot, before)) {
				if (before?.types[resource.typeUrl].resources.get(resource.name)?.version === resource.version) continue
				const touched = resource.madeOf.filter((id) => changed.has(id))
				suspects.set(resource.version, touched.length > 0 ? touched : resource.madeOf)
				forgetOldest(suspects, limits.suspectVersions)
			}
		},
		of: (version) => suspects.get(version) ?? null,
	}
}

/** All of the types that are not as they were. */
function* otherResources({ types }: Snapshot, before: Snapshot | null): Iterable<EncodedResource> {
	for (const typeUrl of Object.values(typeUrls)) {
		if (types[typeUrl] !== before?.types[typeUrl]) yield* types[typeUrl].resources.values()
	}
}
