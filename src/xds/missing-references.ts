import { isSameList } from '#base/same-list.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'

// Endpoints and secrets are found while the daemon runs, so a snapshot may name some that it does not hold. That is no
// inconsistency: what names them waits, alone, and the rest is served.

/** Endpoints or a secret that a resource names and the snapshot does not hold. */
export type MissingReference = { readonly typeUrl: TypeUrl; readonly name: string }

/** What `resource` waits for. Empty for most. */
export function missingReferences(
	{ references }: EncodedResource,
	{ types }: Pick<Snapshot, 'types'>,
): readonly MissingReference[] {
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

/** By type and name. The same list as long as all that it follows from is the same: a step of a rollout changes none of that. */
export function findWaiting({ types }: Snapshot): readonly Waiting[] {
	const known = knownWaiting.get(types[typeUrls.cluster])
	const deciding = decidingTypes.map((typeUrl) => types[typeUrl])
	if (known !== undefined && isSameList(known.deciding, deciding)) return known.waiting
	const waiting = waitingTypes.flatMap((typeUrl) => waitingOf(types[typeUrl], types))
	knownWaiting.set(types[typeUrls.cluster], { deciding, waiting })
	return waiting
}

/** Of these alone a resource names endpoints or secrets. */
const waitingTypes = [typeUrls.cluster, typeUrls.listener] as const
const decidingTypes = [...waitingTypes, typeUrls.endpoint, typeUrls.secret] as const
const knownWaiting = new WeakMap<
	TypeSnapshot,
	{ readonly deciding: readonly TypeSnapshot[]; readonly waiting: readonly Waiting[] }
>()

function waitingOf({ resources }: TypeSnapshot, types: Snapshot['types']): Waiting[] {
	return [...resources.values()].flatMap((resource) => {
		const missing = missingReferences(resource, { types })
		return missing.length === 0 ? [] : [{ typeUrl: resource.typeUrl, name: resource.name, missing }]
	})
}

const none: readonly MissingReference[] = []

function missingOf(typeUrl: TypeUrl): (name: string) => MissingReference {
	return (name) => ({ typeUrl, name })
}
