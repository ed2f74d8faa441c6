import { unreachable } from '#base/assert.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { type Holding, mayHave, type References, referencesOf, surelyHas } from './holding.ts'
import { missingReferences } from './missing-references.ts'
import { isWanted, type Subscription } from './subscription.ts'

// Make before break, at one proxy (rules: serving 1): what may be sent now, given what the proxy has ACKed and what is
// on its way to it. A resource waits for nothing but what it needs: a way back to older clusters never waits.

/** A response on its way: the proxy has taken it, or has not, or will refuse it. */
export type Underway = { readonly upserts: readonly EncodedResource[]; readonly removals: readonly string[] }

/** One type at one proxy. */
export type Possession = {
	/** What it asks for; null until it has asked. */
	readonly subscription: Subscription | null
	readonly held: Holding
	readonly underway: Underway | null
	/** The proxy has said what it holds, or will not. */
	readonly declared: boolean
}
export type Possessions = Readonly<Record<TypeUrl, Possession>>

/**
 * The order in which types are looked at. Endpoints come right after the clusters that warm on them; what refers to
 * clusters comes after both. Secrets are last: clusters and listeners warm on them, and a proxy asks for one only after it
 * saw what names it.
 */
export const sendOrder: readonly TypeUrl[] = [
	typeUrls.cluster,
	typeUrls.endpoint,
	typeUrls.listener,
	typeUrls.route,
	typeUrls.secret,
]

/** A value for each type, in the order of `sendOrder`. Made for every stream at every push: nothing is made on the way. */
export function perType<Value>(make: (typeUrl: TypeUrl) => Value): Record<TypeUrl, Value> {
	return {
		[typeUrls.cluster]: make(typeUrls.cluster),
		[typeUrls.endpoint]: make(typeUrls.endpoint),
		[typeUrls.listener]: make(typeUrls.listener),
		[typeUrls.route]: make(typeUrls.route),
		[typeUrls.secret]: make(typeUrls.secret),
	}
}

/** What is to be served, of which `possessions` is what one proxy has. */
export type Situation = {
	readonly possessions: Possessions
	readonly snapshot: Snapshot
	/** `new`: it has just started, and nothing goes through it yet. */
	readonly proxy: 'new' | 'inUse'
}

/** Nothing goes through a proxy that has neither listeners nor routes. */
export function goesNothingThrough(possessions: Possessions): boolean {
	const { [typeUrls.listener]: listeners, [typeUrls.route]: routes } = possessions
	return [listeners, routes].every(({ held, underway }) => held.size === 0 && underway === null)
}

/**
 * Whether everything that `resource` names is there already. A listener's routes are asked for by the proxy itself, and
 * so are endpoints and secrets: of these the answer must be ready. A proxy that has just started gets its clusters all
 * the same, since its routes wait for every one of them: better one service without hosts than none that is reached.
 */
export function mayAdd(resource: EncodedResource, { possessions, snapshot, proxy }: Situation): boolean {
	switch (resource.typeUrl) {
		case typeUrls.secret:
		case typeUrls.endpoint:
			return true
		case typeUrls.cluster:
			return proxy === 'new' || missingReferences(resource, snapshot).length === 0
		case typeUrls.listener:
			return areThere(resource, possessions) && missingReferences(resource, snapshot).length === 0
		case typeUrls.route:
			return areThere(resource, possessions)
		default:
			return unreachable(resource.typeUrl)
	}
}

/** Whether nothing that the proxy holds, or may be about to hold, still names it. */
export function mayRemove(typeUrl: TypeUrl, name: string, possessions: Possessions): boolean {
	const { [typeUrls.cluster]: clusters, [typeUrls.listener]: listeners, [typeUrls.route]: routes } = possessions
	// A proxy that asks for endpoints or a secret, and holds none, has something that waits for them.
	const isAwaited = typeUrl === typeUrls.endpoint || typeUrl === typeUrls.secret
	if (!isAwaited && !mayHave(possessions[typeUrl].held, name)) return true
	switch (typeUrl) {
		case typeUrls.listener:
			return true
		case typeUrls.route:
			return !isReferred('routes', name, listeners)
		case typeUrls.cluster:
			return !isReferred('clusters', name, listeners) && !isReferred('clusters', name, routes)
		case typeUrls.endpoint:
			return !isReferred('endpoints', name, clusters)
		case typeUrls.secret:
			return !isReferred('secrets', name, clusters) && !isReferred('secrets', name, listeners)
		default:
			return unreachable(typeUrl)
	}
}

function areThere({ references }: EncodedResource, possessions: Possessions): boolean {
	return references.clusters.every(
		(name) => isAskedForLater(name, possessions) || isThere(name, possessions[typeUrls.cluster]),
	)
}

/** gRPC's clients ask for everything by name, and so for a cluster only once they have seen what names it. */
function isAskedForLater(cluster: string, possessions: Possessions): boolean {
	const { subscription: clusters } = possessions[typeUrls.cluster]
	if (clusters !== null) return !isWanted(clusters, cluster)
	return possessions[typeUrls.listener].subscription?.wildcard === 'none'
}

function isThere(cluster: string, clusters: Possession): boolean {
	return surelyHas(clusters.held, cluster) && !isGoing(cluster, clusters.underway)
}

const goingBy = new WeakMap<readonly string[], ReadonlySet<string>>()

/** Whether it is on its way out. Asked for each name of each resource. */
export function isGoing(name: string, underway: Underway | null): boolean {
	if (underway === null) return false
	let going = goingBy.get(underway.removals)
	if (going === undefined) {
		going = new Set(underway.removals)
		goingBy.set(underway.removals, going)
	}
	return going.has(name)
}

type Referred = 'clusters' | 'routes' | 'endpoints' | 'secrets'

function isReferred(what: Referred, name: string, by: Possession): boolean {
	const references = referencesOf(by.held)
	if (!by.declared || references.incomplete || references[what].has(name)) return true
	return by.underway !== null && comingReferences(by.underway)[what].has(name)
}

const comingBy = new WeakMap<readonly EncodedResource[], References>()

/** What the resources of a response refer to. Asked for each name that may go. */
function comingReferences({ upserts }: Underway): References {
	let references = comingBy.get(upserts)
	if (references === undefined) {
		references = referencesOf(new Map(upserts.map((resource) => [resource.name, resource])))
		comingBy.set(upserts, references)
	}
	return references
}
