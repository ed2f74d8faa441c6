import { compareText } from '#base/diagnostic.ts'
import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Mesh, Origins, Resource, ResourceId } from '#mesh/mesh.ts'

// A mesh, or a table of origins, as the store has it: in parts. A commit changes little, and a part of which nothing has
// changed is neither encoded nor written again.

export type Part = {
	/** Hash of its bytes. */
	readonly blob: string
	readonly entries: readonly Entry[]
}

type Value = Resource | Origins[ResourceId]
type Entry = readonly [id: ResourceId, value: Value]

/** By number. Each is sorted by id. */
export type Parts = ReadonlyMap<number, Part>

export const noParts: Parts = new Map()

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** @param before parts of a mesh which has most objects in common with this one */
export function partsOfMesh({ resources }: Mesh, before: Parts): Parts {
	return divide(Object.entries(resources) as [ResourceId, Resource][], placeOfResource, before)
}

function placeOfResource([id]: Entry): string {
	return id
}

export function partsOfOrigins(origins: Origins, before: Parts): Parts {
	return divide(Object.entries(origins) as [ResourceId, Origins[ResourceId]][], placeOfOrigins, before)
}

/** What is written in one file is together: a line more moves all that comes after it. */
function placeOfOrigins([id, places]: Entry): string {
	return (places as Origins[ResourceId])['']?.file ?? id
}

/** In the order of their numbers. */
export function blobsOf(parts: Parts): string[] {
	return [...parts].sort(([left], [right]) => left - right).map(([, { blob }]) => blob)
}

export function encodePart({ entries }: Pick<Part, 'entries'>): Uint8Array {
	return encoder.encode(JSON.stringify(entries))
}

/** @param bytes what `encodePart` gave, stored under this name */
export function decodePart(blob: string, bytes: Uint8Array): Part {
	return { blob, entries: JSON.parse(decoder.decode(bytes)) }
}

/** @param hash of the mesh that was divided */
export function meshOfParts(hash: string, parts: readonly Part[]): Mesh {
	return { hash, resources: joined(parts) as Mesh['resources'] }
}

export function originsOfParts(parts: readonly Part[]): Origins {
	return joined(parts) as Origins
}

function joined(parts: readonly Part[]): Readonly<Record<ResourceId, Value>> {
	const entries = parts.flatMap((part) => part.entries)
	return Object.fromEntries(entries.sort(([left], [right]) => compareText(left, right)))
}

/** Under their numbers, as they were divided; what is known of them saves encoding them again. */
export function numberedParts(kind: 'mesh' | 'origins', parts: readonly Part[]): Parts {
	const placeOf = kind === 'mesh' ? placeOfResource : placeOfOrigins
	return new Map(parts.flatMap((part) => part.entries.slice(0, 1).map((first) => [numberOf(placeOf(first)), part])))
}

/** @param values sorted by id */
function divide(values: readonly Entry[], placeOf: (entry: Entry) => string, before: Parts): Parts {
	const found = Map.groupBy(values, (entry) => numberOf(placeOf(entry)))
	const parts = new Map<number, Part>()
	for (const [number, entries] of found) {
		const known = before.get(number)
		const isKnown = known !== undefined && isSame(known.entries, entries)
		parts.set(number, isKnown ? known : { blob: sha256Hex(encodePart({ entries })), entries })
	}
	return parts
}

function isSame(left: readonly Entry[], right: readonly Entry[]): boolean {
	return (
		left.length === right.length &&
		left.every(([id, value], index) => id === right[index]?.[0] && value === right[index]?.[1])
	)
}

/** FNV-1a: spreads evenly, and is the same after a restart. */
function numberOf(place: string): number {
	let hash = 0x811c9dc5
	for (let index = 0; index < place.length; index += 1) hash = Math.imul(hash ^ place.charCodeAt(index), 0x01000193)
	return (hash >>> 0) % limits.storedParts
}
