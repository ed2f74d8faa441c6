import { assert } from '#base/assert.ts'
import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'

// What one proxy refused. It outlives the proxy's streams: the same bytes are never sent to it again.

export type Refusal = {
	readonly typeUrl: TypeUrl
	readonly name: string
	/** '' when the proxy refused to let go of it. */
	readonly version: string
	readonly text: string
}

export type Refusals = {
	readonly size: number
	add(refusal: Refusal): void
	has(typeUrl: TypeUrl, name: string, version: string): boolean
	/** The proxy took these bytes after all. */
	forget(typeUrl: TypeUrl, name: string, version: string): void
	/** The proxy started afresh: it may be tried once more. */
	clear(): void
	/** Oldest first. */
	list(): Iterable<Refusal>
}

/** Keeps the newest `xdsRefusals` of them. */
export function createRefusals(): Refusals {
	const refusals = new Map<string, Refusal>()
	return {
		get size() {
			return refusals.size
		},
		add(refusal) {
			const key = keyOf(refusal.typeUrl, refusal.name, refusal.version)
			refusals.delete(key)
			refusals.set(key, refusal)
			forgetOldest(refusals, limits.xdsRefusals)
		},
		has: (typeUrl, name, version) => refusals.size > 0 && refusals.has(keyOf(typeUrl, name, version)),
		forget(typeUrl, name, version) {
			if (refusals.size > 0) refusals.delete(keyOf(typeUrl, name, version))
		},
		clear: () => refusals.clear(),
		list: () => refusals.values(),
	}
}

/** Of all who have refused nothing. */
export const noRefusals: Refusals = {
	...createRefusals(),
	add: () => assert(false, 'what one proxy refuses is not shared'),
}

/** To be added to. */
export function ownRefusals(refusals: Refusals): Refusals {
	return refusals === noRefusals ? createRefusals() : refusals
}

function keyOf(typeUrl: TypeUrl, name: string, version: string): string {
	return `${typeUrl}\n${version}\n${name}`
}

/**
 * Which resources of a response Envoy complains about: `Error adding/updating cluster(s) a: reason, b: reason`. Empty
 * when its words name none, as for routes.
 */
export function namesInRefusal(text: string, candidates: readonly string[]): string[] {
	const named = wordsBeforeColons(text)
	return candidates.filter((name) => name !== '' && named.has(name))
}

/**
 * All that may be a name: it follows the introduction, or the reason of the one before, and may have colons itself. To look
 * for each candidate in the text would cost their product, of which a proxy chooses both.
 */
function wordsBeforeColons(text: string): ReadonlySet<string> {
	const words = new Set<string>()
	for (const word of text.split(/[ \n,]/)) {
		for (let at = word.indexOf(':'); at >= 0; at = word.indexOf(':', at + 1)) words.add(word.slice(0, at))
	}
	return words
}

/** That a proxy would not let go of a resource no longer matters once it is to have it again. */
export function forgetKept(refusals: Refusals, { types }: Snapshot): void {
	for (const { typeUrl, name, version } of [...refusals.list()]) {
		if (version === '' && types[typeUrl].resources.has(name)) refusals.forget(typeUrl, name, version)
	}
}
