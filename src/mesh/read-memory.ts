import type { FoundLinks } from './known-links.ts'
import type { Manifest } from './manifest.generated.ts'
import type { Origin, Resource, ResourceId } from './mesh.ts'
import type { PlacedFinding } from './place-findings.ts'
import type { KnownFiles } from './read-documents.ts'
import type { YamlNode } from './yaml-node.ts'

/**
 * What a reading leaves for the next one: of a revision in which one file has changed, only that file is read. It holds
 * the files of one revision; a reading that is given it gives what it would give without.
 */
export type ReadMemory = {
	readonly files: KnownFiles
	/** By the document as it is remembered with its file. */
	readonly resources: WeakMap<Manifest, KnownResource>
	readonly places: WeakMap<YamlNode, Readonly<Record<string, Origin>>>
	/** Of the last revision that was read whole. */
	links: FoundLinks | null
}

/** A resource, what is wrong in its document, and what of the other resources both were made from. */
export type KnownResource = {
	readonly resource: Resource
	readonly findings: readonly PlacedFinding[]
	readonly looks: readonly Look[]
}

/** What was found under an id. */
export type Look = { readonly id: ResourceId; readonly found: Resource | undefined }

export function createReadMemory(): ReadMemory {
	return { files: new Map(), resources: new WeakMap(), places: new WeakMap(), links: null }
}
