import type { References, TypeUrl } from '#compile/compiled.ts'
import type { ResourceId } from '#mesh/mesh.ts'

// The contract of stage 7: what one proxy group is served, encoded once, whatever the number of its proxies.

export type EncodedResource = {
	readonly typeUrl: TypeUrl
	readonly name: string
	/** Hash of the bytes: the same on every replica and after every restart. */
	readonly version: string
	/** The resource's own bytes (the value of the Any). */
	readonly bytes: Uint8Array
	/** The compiler's key that it was built from. */
	readonly key: string
	readonly references: References
	readonly madeOf: readonly ResourceId[]
}

export type TypeSnapshot = {
	/** Hash of the names and versions. */
	readonly version: string
	/** Sorted by name. */
	readonly resources: ReadonlyMap<string, EncodedResource>
}

export type Snapshot = {
	/** Hash of the types' versions. */
	readonly version: string
	readonly types: Readonly<Record<TypeUrl, TypeSnapshot>>
}
