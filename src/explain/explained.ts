import type { Origin, ResourceId } from '#mesh/mesh.ts'

// The contract of explain/: what becomes of one request at one proxy, and why. Plain data: the command line shows it,
// the API answers with it, expectations are held against it.

/** A request as a client sends it. */
export type AskedRequest = {
	readonly method: string
	readonly url: string
	readonly scheme: 'http' | 'https'
	/** The `Host` that is sent: without the scheme's own port. */
	readonly authority: string
	/** Of the URL, in lower case. */
	readonly host: string
	/** The port that is dialled, and whether the URL says so. */
	readonly port: number
	readonly portIs: 'written' | 'of the scheme'
	/** With its query. */
	readonly path: string
	/** Names in lower case; one name may come several times. */
	readonly headers: readonly Header[]
}

export type Header = { readonly name: string; readonly value: string }

export type Explained = {
	/** `mesh/apps/virtualNode/serviceA`. */
	readonly proxy: string
	readonly request: AskedRequest
	/** One for each time that routes of this proxy look at the request: a gateway looks twice. */
	readonly hops: readonly Hop[]
	readonly outcome: Outcome
	/** Where nothing takes it: what was nearest, or what to change. */
	readonly advice: string | null
	/** What is worth knowing beside it, in sentences. */
	readonly notes: readonly string[]
}

export type Hop = {
	readonly listener: string
	/** The port that its filter chain was chosen by. */
	readonly port: number
	/** The route configuration. */
	readonly routes: string
	/** As the routes see it. */
	readonly authority: string
	readonly path: string
	/** The path before it was made plain; null when that changes nothing. */
	readonly pathBefore: string | null
	readonly virtualHost: ChosenHost | null
	/** In the order in which they are tried; none of them took the request. */
	readonly tried: readonly TriedRoute[]
	readonly taken: TakenRoute | null
}

export type ChosenHost = {
	readonly name: string
	/** The domain of it that matched, e.g. `*.apps.local`. */
	readonly domain: string
	readonly virtualService: ResourceId | null
}

export type RouteReference = {
	/** Envoy's name of it; empty when it has none: the one way to a virtual node that is a service's provider. */
	readonly name: string
	/** Of a gateway route: the virtual service that it leads to. */
	readonly virtualService: ResourceId | null
	/** It is what is in front of this route of the mesh, while that is under rollout; null: it is a route itself. */
	readonly frontOf: ResourceId | null
	/** The route or gateway route of the mesh, where that is known. */
	readonly resource: ResourceId | null
	readonly place: Origin | null
}

export type TriedRoute = RouteReference & {
	/** What the request does not meet; at least one. */
	readonly failed: readonly Condition[]
	/** What it wants of the path, as it is written; empty when it wants nothing. */
	readonly pathPattern: string
}

export type TakenRoute = RouteReference & {
	/** All of them are met. */
	readonly conditions: readonly Condition[]
	readonly action: RouteAction
}

/** Reads as a sentence: NAME is FOUND; wanted: WANTED. */
export type Condition = {
	/** `path`, `host`, `method`, `header x-beta`, `query parameter page`, … */
	readonly name: string
	readonly wanted: string
	/** Null: the request has none. */
	readonly found: string | null
}

export type RouteAction =
	| {
			readonly kind: 'forward'
			readonly destinations: readonly Destination[]
			/** Where requests are drawn by who sends them; null: by chance, by their shares. */
			readonly drawnBy: DrawnBy | null
			/** Whom copies go to, of which share of these requests each. What they answer is thrown away. */
			readonly copies: readonly Destination[]
			/** Of the whole request; 0: no limit. */
			readonly timeoutMs: number
			/** Of silence; null: Envoy's own five minutes; 0: no limit. */
			readonly idleTimeoutMs: number | null
			readonly retries: Retries | null
			/** The host and path that are sent on; null: as they came. */
			readonly authority: string | null
			readonly path: string | null
			readonly headersSet: readonly Header[]
			readonly headersRemoved: readonly string[]
	  }
	/** The proxy answers by itself. */
	| { readonly kind: 'respond'; readonly status: number }
	/** An action of Envoy's that Sluice never writes. */
	| { readonly kind: 'unknown'; readonly what: string }

export type Destination = {
	readonly cluster: string
	/** Null: none, or not known of the cluster. */
	readonly virtualNode: ResourceId | null
	/** Of requests like this one. */
	readonly sharePpm: number
}

/** What says who sends a request. `one`: so all that this user sends goes to one destination · `none`: by chance. */
export type DrawnBy = {
	readonly kind: 'header' | 'cookie'
	readonly name: string
	/** `several`: to one of the destinations too, always the same; which one is not known here. */
	readonly found: 'one' | 'none' | 'several'
}

export type Retries = {
	readonly count: number
	/** Envoy's conditions. */
	readonly on: readonly string[]
	readonly statusCodes: readonly number[]
	readonly perTryTimeoutMs: number | null
}

export type Outcome =
	/** HTTP, by the last hop's route. */
	| { readonly kind: 'forwarded'; readonly destinations: readonly Destination[] }
	/** The port speaks TCP: neither host nor path are looked at. */
	| { readonly kind: 'tcp'; readonly port: number; readonly destinations: readonly Destination[] }
	/** As TCP, to wherever it was going. */
	| { readonly kind: 'passedThrough'; readonly cluster: string }
	| { readonly kind: 'responded'; readonly status: number }
	| {
			readonly kind: 'unknownHost'
			readonly status: 404
			readonly known: readonly string[]
			readonly nearest: string | null
	  }
	| { readonly kind: 'noRoute'; readonly status: 404; readonly nearest: TriedRoute | null }
	/** Refused before any route is looked at. */
	| { readonly kind: 'refused'; readonly status: number; readonly reason: string }
	/** No answer at all. */
	| { readonly kind: 'closed'; readonly reason: string; readonly ports: readonly KnownPort[] }
	/** What the proxy holds is not known here. */
	| { readonly kind: 'unknown'; readonly reason: string }

export type KnownPort = {
	readonly port: number
	readonly protocol: 'http' | 'tcp'
	/** Only for TLS that asks for one of these; empty: for all. */
	readonly serverNames: readonly string[]
}

/** Whether something takes the request. */
export function isTaken({ kind }: Outcome): boolean {
	return kind === 'forwarded' || kind === 'tcp' || kind === 'passedThrough' || kind === 'responded'
}
