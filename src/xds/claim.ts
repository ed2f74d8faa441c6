import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { versionOfHolding } from './assemble.ts'
import type { Reported } from './fleet-view.ts'
import { emptyHolding, type Holding, recognise, type Target, withoutNames } from './holding.ts'
import { missingReferences } from './missing-references.ts'
import { isWanted, type Subscription } from './subscription.ts'

// What a proxy says of itself when its stream begins, and what that tells of what it holds.

export type Claim =
	| { readonly kind: 'versions'; readonly versions: ReadonlyMap<string, string> }
	| { readonly kind: 'version'; readonly version: string }

/** What is remembered of a type from an earlier stream, each with the version that names it in state of the world. */
export type Memory = {
	readonly accepted: Named
	/** If it accepted the last response after all. */
	readonly offered: Named | null
}

type Named = { readonly held: Holding; readonly version: string }

export type Comparison = {
	readonly subscription: Subscription
	readonly memory: Memory
	readonly target: Target
	readonly typeVersion: string
	readonly snapshot: Snapshot
}

/** What the proxy holds; null when it holds something that nothing here knows. */
export function holdingOfClaim(claim: Claim, comparison: Comparison): Holding | null {
	const { subscription, memory, target, typeVersion, snapshot } = comparison
	if (claim.kind === 'versions') {
		const wanted = [...claim.versions].filter(([name]) => isWanted(subscription, name))
		return recognise(new Map(wanted), target)
	}
	// What is remembered comes first: it knows which parts of a refused answer the proxy may have taken all the same.
	for (const known of [memory.accepted, memory.offered]) {
		if (known !== null && claim.version === known.version) return wantedPart(known.held, subscription)
	}
	if (claim.version === typeVersion) return target
	const ready = readyPart(target, snapshot)
	return ready.size < target.size && claim.version === versionOfHolding(ready) ? ready : null
}

export function wantedPart(held: Holding, subscription: Subscription): Holding {
	return withoutNames(
		held,
		[...held.keys()].filter((name) => !isWanted(subscription, name)),
	)
}

/** All that can be sent of a target while some of it waits for endpoints or secrets: what was served before a restart. */
function readyPart(target: Target, snapshot: Snapshot): Holding {
	const ready = [...target].filter(
		([, wanted]) => 'bytes' in wanted && missingReferences(wanted, snapshot).length === 0,
	)
	return ready.length === 0 ? emptyHolding : new Map(ready)
}

/** What the proxy said at its start, while there was nothing to compare it with. */
export function reportedBy(typeUrl: TypeUrl, claim: Claim | null): Reported[] {
	if (claim === null) return []
	if (claim.kind === 'version') return [{ typeUrl, name: null, version: claim.version }]
	return [...claim.versions].map(([name, version]) => ({ typeUrl, name, version }))
}
