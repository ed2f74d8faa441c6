import { sha256Hex } from '#base/hash.ts'
import type { Mesh, Origins } from '#mesh/mesh.ts'
import type { Store } from '#store/store.ts'

// Meshes and origins, by hash: in memory for the turns, in the store as blobs. What the state no longer names is
// dropped from both with the next transaction.

const utf8 = new TextDecoder()
const bytesOf = new TextEncoder()

export type Content = {
	readonly meshes: ReadonlyMap<string, Mesh>
	origins(hash: string): Origins
	addMesh(mesh: Mesh): void
	/** Returns the hash that names them. */
	addOrigins(origins: Origins): string
	/** Name in the state → name of the blob, for those named by `keep`. */
	index(keep: ReadonlySet<string>): Record<string, string>
	/** Blobs named by `keep` that no transaction has stored yet. */
	unsaved(keep: ReadonlySet<string>): ReadonlyMap<string, Uint8Array>
	/** A transaction with `unsaved` went through: forgets all but `keep`, returns the blobs that may go. */
	saved(keep: ReadonlySet<string>): void
	/** Blobs that are stored, but that nothing in `keep` names. */
	droppable(keep: ReadonlySet<string>): string[]
}

type Entry = { readonly blob: string; readonly bytes: Uint8Array; stored: boolean }

/** @param index name → blob, as the stored state has it */
export async function createContent(store: Store, index: Readonly<Record<string, string>>): Promise<Content> {
	const meshes = new Map<string, Mesh>()
	const origins = new Map<string, Origins>()
	const entries = new Map<string, Entry>()
	for (const [name, blob] of Object.entries(index)) {
		const bytes = await store.readBlob(blob)
		if (bytes === null) throw new Error(`the store lacks ${blob}, which its state names`)
		const value = JSON.parse(utf8.decode(bytes)) as { mesh: Mesh } | { origins: Origins }
		if ('mesh' in value) meshes.set(name, value.mesh)
		else origins.set(name, value.origins)
		entries.set(name, { blob, bytes, stored: true })
	}

	function add(name: string, value: unknown): void {
		const bytes = bytesOf.encode(JSON.stringify(value))
		entries.set(name, { blob: sha256Hex(bytes), bytes, stored: false })
	}

	return {
		meshes,
		origins: (hash) => origins.get(hash) ?? {},
		addMesh(mesh) {
			if (entries.has(mesh.hash)) return
			meshes.set(mesh.hash, mesh)
			add(mesh.hash, { mesh })
		},
		addOrigins(value) {
			const name = `origins-${sha256Hex(JSON.stringify(value))}`
			if (!entries.has(name)) {
				origins.set(name, value)
				add(name, { origins: value })
			}
			return name
		},
		index(keep) {
			return Object.fromEntries([...entries].filter(([name]) => keep.has(name)).map(([name, { blob }]) => [name, blob]))
		},
		unsaved(keep) {
			const unsaved = [...entries].filter(([name, { stored }]) => !stored && keep.has(name))
			return new Map(unsaved.map(([, { blob, bytes }]) => [blob, bytes]))
		},
		droppable(keep) {
			const kept = new Set([...entries].filter(([name]) => keep.has(name)).map(([, { blob }]) => blob))
			return [...entries]
				.filter(([name, { stored, blob }]) => stored && !keep.has(name) && !kept.has(blob))
				.map(([, { blob }]) => blob)
		},
		saved(keep) {
			for (const [name, entry] of entries) {
				entry.stored = true
				if (keep.has(name)) continue
				entries.delete(name)
				meshes.delete(name)
				origins.delete(name)
			}
		},
	}
}
