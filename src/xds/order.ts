import { unreachable } from '#base/assert.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { type Holding, mayHave, referencesOf, surelyHas } from './holding.ts'

// Make before break, at one proxy (rules: serving 1): what may be sent now, given what the proxy has ACKed and what is
// on its way to it. A resource waits for nothing but what it needs: a way back to older clusters never waits.

/** A response on its way: the proxy has taken it, or has not, or will refuse it. */
export type Underway = { readonly upserts: readonly EncodedResource[]; readonly removals: readonly string[] }

/** One type at one proxy. `declared`: the proxy has said what it holds of it, or will not. */
export type Possession = { readonly held: Holding; readonly underway: Underway | null; readonly declared: boolean }
export type Possessions = Readonly<Record<TypeUrl, Possession>>

/**
 * The order in which types are looked at. Endpoints come right after the clusters that warm on them; what refers to
 * clusters comes after both.
 */
export const sendOrder: readonly TypeUrl[] = [
	typeUrls.secret,
	typeUrls.cluster,
	typeUrls.endpoint,
	typeUrls.listener,
	typeUrls.route,
]

/** A value for each type. */
export function perType<Value>(make: (typeUrl: TypeUrl) => Value): Record<TypeUrl, Value> {
	return Object.fromEntries(sendOrder.map((typeUrl) => [typeUrl, make(typeUrl)])) as Record<TypeUrl, Value>
}

/** Whether everything that `resource` names is there already. A listener's routes are asked for by the proxy itself. */
export function mayAdd(resource: EncodedResource, possessions: Possessions): boolean {
	switch (resource.typeUrl) {
		case typeUrls.secret:
		case typeUrls.cluster:
		case typeUrls.endpoint:
			return true
		case typeUrls.listener:
		case typeUrls.route:
			return resource.references.clusters.every((name) => isThere(name, possessions[typeUrls.cluster]))
		default:
			return unreachable(resource.typeUrl)
	}
}

/** Whether nothing that the proxy holds, or may be about to hold, still names it. */
export function mayRemove(typeUrl: TypeUrl, name: string, possessions: Possessions): boolean {
	if (!mayHave(possessions[typeUrl].held, name)) return true
	const { [typeUrls.cluster]: clusters, [typeUrls.listener]: listeners, [typeUrls.route]: routes } = possessions
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
			// Which clusters and listeners use a secret is not known here: it goes once both have settled.
			return clusters.underway === null && listeners.underway === null
		default:
			return unreachable(typeUrl)
	}
}

function isThere(cluster: string, clusters: Possession): boolean {
	return surelyHas(clusters.held, cluster) && clusters.underway?.removals.includes(cluster) !== true
}

function isReferred(what: 'clusters' | 'routes' | 'endpoints', name: string, by: Possession): boolean {
	const references = referencesOf(by.held)
	if (!by.declared || references.incomplete || references[what].has(name)) return true
	if (by.underway === null) return false
	const coming = referencesOf(new Map(by.underway.upserts.map((resource) => [resource.name, resource])))
	return coming[what].has(name)
}
