import { sha256Hex } from '#base/hash.ts'
import type { Mesh, Origins } from '#mesh/mesh.ts'
import type { Store } from '#store/store.ts'
import {
	blobsOf,
	decodePart,
	encodePart,
	meshOfParts,
	noParts,
	numberedParts,
	originsOfParts,
	type Part,
	type Parts,
	partsOfMesh,
	partsOfOrigins,
} from './stored-parts.ts'

// Meshes and origins, by name: in memory for the turns, in the store as blobs. What the state no longer names is dropped
// from both with the next transaction.

/** Name in the state → the blobs that hold it. One text was everything where an earlier Sluice has written it. */
export type ContentIndex = Readonly<
	Record<string, { readonly mesh: readonly string[] } | { readonly origins: readonly string[] } | string>
>

export type Content = {
	readonly meshes: ReadonlyMap<string, Mesh>
	origins(name: string): Origins
	addMesh(mesh: Mesh): void
	/** Returns the name that they go by. */
	addOrigins(origins: Origins): string
	/** Of what is named by `keep`. */
	index(keep: ReadonlySet<string>): ContentIndex
	/** Blobs of what is named by `keep` that no transaction has stored yet. */
	unsaved(keep: ReadonlySet<string>): ReadonlyMap<string, Uint8Array>
	/** A transaction with `unsaved` and `droppable` went through: forgets all but `keep`. */
	saved(keep: ReadonlySet<string>): void
	/** Blobs that are stored, but that nothing in `keep` needs. */
	droppable(keep: ReadonlySet<string>): string[]
}

/** @param index as the stored state has it */
export async function createContent(store: Pick<Store, 'readBlob'>, index: ContentIndex): Promise<Content> {
	const meshes = new Map<string, Mesh>()
	const origins = new Map<string, Origins>()
	const parts = new Map<string, Parts>()
	const stored = new Set<string>()
	/** Of what was added last: most of the next one is like it. */
	let last = { mesh: noParts, origins: noParts }

	function addMesh(mesh: Mesh): void {
		if (parts.has(mesh.hash)) return
		last = { ...last, mesh: partsOfMesh(mesh, last.mesh) }
		meshes.set(mesh.hash, mesh)
		parts.set(mesh.hash, last.mesh)
	}

	/** @param name null: by what is in them */
	function addOrigins(value: Origins, name: string | null): string {
		const made = partsOfOrigins(value, last.origins)
		const madeName = name ?? `origins-${sha256Hex(blobsOf(made).join(' '))}`
		last = { ...last, origins: made }
		if (parts.has(madeName)) return madeName
		origins.set(madeName, value)
		parts.set(madeName, made)
		return madeName
	}

	/** Blob → the part that it holds, of all that is named by `keep`. */
	function needed(keep: ReadonlySet<string>): Map<string, Part> {
		const all = [...parts].filter(([name]) => keep.has(name)).flatMap(([, ofName]) => [...ofName.values()])
		return new Map(all.map((part) => [part.blob, part]))
	}

	function load(bytes: ReadonlyMap<string, Uint8Array>): void {
		// Meshes have most of their parts in common, and so the objects in them.
		const decoded = new Map<string, Part>()
		const partOf = (blob: string): Part => {
			const part = decoded.get(blob) ?? decodePart(blob, bytes.get(blob) ?? new Uint8Array())
			decoded.set(blob, part)
			return part
		}
		for (const [name, held] of Object.entries(index)) {
			if (typeof held === 'string') {
				const whole: { mesh: Mesh } | { origins: Origins } = JSON.parse(new TextDecoder().decode(bytes.get(held)))
				if ('mesh' in whole) addMesh(whole.mesh)
				else addOrigins(whole.origins, name)
			} else if ('mesh' in held) {
				const found = held.mesh.map(partOf)
				last = { ...last, mesh: numberedParts('mesh', found) }
				addMesh(meshOfParts(name, found))
			} else {
				const found = held.origins.map(partOf)
				last = { ...last, origins: numberedParts('origins', found) }
				addOrigins(originsOfParts(found), name)
			}
		}
	}

	for (const blob of Object.values(index).flatMap(blobsNamed)) stored.add(blob)
	if (stored.size > 0) load(await readBlobs(store, stored))
	return {
		meshes,
		origins: (name) => origins.get(name) ?? {},
		addMesh,
		addOrigins: (value) => addOrigins(value, null),
		index(keep) {
			const kept = [...parts].filter(([name]) => keep.has(name))
			return Object.fromEntries(
				kept.map(([name, ofName]) => [
					name,
					meshes.has(name) ? { mesh: blobsOf(ofName) } : { origins: blobsOf(ofName) },
				]),
			)
		},
		unsaved(keep) {
			const unsaved = [...needed(keep)].filter(([blob]) => !stored.has(blob))
			return new Map(unsaved.map(([blob, part]) => [blob, encodePart(part)]))
		},
		droppable(keep) {
			const kept = needed(keep)
			return [...stored].filter((blob) => !kept.has(blob))
		},
		saved(keep) {
			stored.clear()
			for (const blob of needed(keep).keys()) stored.add(blob)
			for (const name of parts.keys()) {
				if (keep.has(name)) continue
				parts.delete(name)
				meshes.delete(name)
				origins.delete(name)
			}
		},
	}
}

async function readBlobs(
	store: Pick<Store, 'readBlob'>,
	blobs: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Uint8Array>> {
	const read = [...blobs].map(async (blob) => {
		const bytes = await store.readBlob(blob)
		if (bytes === null) throw new Error(`the store lacks ${blob}, which its state names`)
		return [blob, bytes] as const
	})
	return new Map(await Promise.all(read))
}

function blobsNamed(held: ContentIndex[string]): readonly string[] {
	if (typeof held === 'string') return [held]
	return 'mesh' in held ? held.mesh : held.origins
}
