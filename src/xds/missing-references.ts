import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'

// Endpoints and secrets are found while the daemon runs, so a snapshot may name some that it does not hold. That is no
// inconsistency: what names them waits, alone, and the rest is served.

/** Endpoints or a secret that a resource names and the snapshot does not hold. */
export type MissingReference = { readonly typeUrl: TypeUrl; readonly name: string }

/** What `resource` waits for. Empty for most. */
export function missingReferences({ references }: EncodedResource, { types }: Snapshot): readonly MissingReference[] {
	const { endpoints, secrets } = references
	if (endpoints.length + secrets.length === 0) return none
	return [
		...endpoints.filter((name) => !types[typeUrls.endpoint].resources.has(name)).map(missingOf(typeUrls.endpoint)),
		...secrets.filter((name) => !types[typeUrls.secret].resources.has(name)).map(missingOf(typeUrls.secret)),
	]
}

/** A resource of a snapshot that cannot be sent yet, and what it waits for. */
export type Waiting = {
	readonly typeUrl: TypeUrl
	readonly name: string
	readonly missing: readonly MissingReference[]
}

/** By type and name. */
export function findWaiting(snapshot: Snapshot): readonly Waiting[] {
	const waiting: Waiting[] = []
	for (const { resources } of Object.values(snapshot.types)) {
		for (const resource of resources.values()) {
			const missing = missingReferences(resource, snapshot)
			if (missing.length > 0) waiting.push({ typeUrl: resource.typeUrl, name: resource.name, missing })
		}
	}
	return waiting
}

const none: readonly MissingReference[] = []

function missingOf(typeUrl: TypeUrl): (name: string) => MissingReference {
	return (name) => ({ typeUrl, name })
}
