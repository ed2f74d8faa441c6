import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { madeOfBoth } from '#base/made-of-both.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, TypeSnapshot } from '#snapshot/snapshot.ts'
import { absent, type Target } from './holding.ts'
import type { DeltaRequest, StateOfTheWorldRequest } from './request.ts'

// What a stream asks for in one type. Equal subscriptions are one object, so that streams can share what is made of it.

export type Subscription = {
	/** `implicit`: its first request named nothing, which means everything in the types where that is allowed. */
	readonly wildcard: 'none' | 'implicit' | 'explicit'
	/** Names asked for beside the wildcard. */
	readonly names: ReadonlySet<string>
}

export type SubscriptionChange = {
	readonly subscription: Subscription
	/** Names that the proxy forgets, or wants to be sent again whatever it holds. */
	readonly forgotten: readonly string[]
	/** Names asked for anew. */
	readonly added: readonly string[]
}

export type SubscriptionPool = { shared(subscription: Subscription): Subscription }

/** Types of which a first request without names asks for everything. */
const implicitWildcards: ReadonlySet<TypeUrl> = new Set([typeUrls.cluster, typeUrls.listener])
const wildcardName = '*'

export function createSubscriptionPool(): SubscriptionPool {
	// What nobody asks for any more is not held on to, and its names, which may be long, not even in the key: they are told
	// apart there by their lengths, since a name may have line breaks.
	const pool = new Map<string, WeakRef<Subscription>>()
	return {
		shared(subscription) {
			const names = [...subscription.names].sort().map((name) => `${name.length} ${name}`)
			const key = sha256Hex([subscription.wildcard, ...names].join('\n'))
			const known = pool.get(key)?.deref()
			if (known !== undefined) return known
			if (pool.size >= limits.xdsSubscriptionsShared) pool.clear()
			pool.set(key, new WeakRef(subscription))
			return subscription
		},
	}
}

/** `current` is null on the stream's first request of this type. Fails with what is wrong with the request. */
export function changeDelta(
	current: Subscription | null,
	typeUrl: TypeUrl,
	request: Pick<DeltaRequest, 'subscribe' | 'unsubscribe'>,
): Result<SubscriptionChange, string> {
	const { subscribe, unsubscribe } = request
	if (current !== null && subscribe.length + unsubscribe.length === 0) {
		return succeed({ subscription: current, forgotten: [], added: [] })
	}
	const names = new Set(current?.names)
	let wildcard = current?.wildcard ?? 'none'
	if (current === null && subscribe.length === 0 && implicitWildcards.has(typeUrl)) wildcard = 'implicit'
	for (const name of subscribe) {
		if (name === wildcardName) wildcard = 'explicit'
		else names.add(name)
	}
	for (const name of unsubscribe) {
		if (name === wildcardName) wildcard = 'none'
		else names.delete(name)
	}
	const problem = whatIsTooMuch(names)
	if (problem !== null) return fail(problem)
	const added = subscribe.filter((name) => name !== wildcardName)
	// A name asked for again is sent again. One that is unsubscribed under a wildcard is too, or named as removed.
	const forgotten = [...(current === null ? [] : added), ...unsubscribe]
	return succeed({ subscription: { wildcard, names }, forgotten, added })
}

/** As `changeDelta`; every request of this variant repeats all names. */
export function changeStateOfTheWorld(
	current: Subscription | null,
	typeUrl: TypeUrl,
	request: Pick<StateOfTheWorldRequest, 'names'>,
): Result<SubscriptionChange, string> {
	if (current !== null && isSame(current, request.names)) {
		return succeed({ subscription: current, forgotten: [], added: [] })
	}
	const names = new Set(request.names)
	const problem = whatIsTooMuch(names)
	if (problem !== null) return fail(problem)
	const isExplicit = names.delete(wildcardName)
	const isImplicit = current === null && request.names.length === 0 && implicitWildcards.has(typeUrl)
	const before = current?.names ?? new Set<string>()
	return succeed({
		subscription: { wildcard: isExplicit ? 'explicit' : isImplicit ? 'implicit' : 'none', names },
		forgotten: [...before].filter((name) => !names.has(name)),
		added: [...names].filter((name) => !before.has(name)),
	})
}

/** Of all that was asked for so far: each request may have been small. */
function whatIsTooMuch(names: ReadonlySet<string>): string | null {
	if (names.size > limits.xdsNames) return `more than ${limits.xdsNames} names in one subscription`
	let chars = 0
	for (const name of names) chars += name.length
	return chars > limits.xdsNamesChars
		? `names of more than ${limits.xdsNamesChars} characters in one subscription`
		: null
}

/** Most requests repeat what is known. */
function isSame(current: Subscription, names: readonly string[]): boolean {
	const size = current.names.size + (current.wildcard === 'explicit' ? 1 : 0)
	if (names.length !== size) return false
	return names.every((name) => (name === wildcardName ? current.wildcard === 'explicit' : current.names.has(name)))
}

export function isWanted(subscription: Subscription, name: string): boolean {
	return subscription.wildcard !== 'none' || subscription.names.has(name)
}

/** What a proxy with this subscription should hold. The same object for the same arguments. */
export function targetOf(snapshot: TypeSnapshot, subscription: Subscription): Target {
	if (subscription.wildcard !== 'none' && subscription.names.size === 0) return snapshot.resources
	return selectTarget(snapshot, subscription)
}

const selectTarget = madeOfBoth(({ resources }: TypeSnapshot, subscription: Subscription): Target => {
	const target = new Map<string, EncodedResource | typeof absent>(subscription.wildcard === 'none' ? [] : resources)
	for (const name of subscription.names) target.set(name, resources.get(name) ?? absent)
	return target
})
