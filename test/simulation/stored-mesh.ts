import type { StoredState } from '#controller/state.ts'
import { decodePart, meshOfParts } from '#controller/stored-parts.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { MemorySnapshot } from '#store/memory-store.ts'

/** The mesh that a stored state names; null: it names none under this hash. */
export function storedMesh(
	{ blobs }: MemorySnapshot,
	content: StoredState['content'],
	hash: string | null,
): Mesh | null {
	const held = content[hash ?? '']
	if (hash === null || held === undefined || typeof held === 'string' || !('mesh' in held)) return null
	const bytesOf = (blob: string) => blobs.get(blob) ?? new Uint8Array()
	return meshOfParts(
		hash,
		held.mesh.map((blob) => decodePart(blob, bytesOf(blob))),
	)
}
