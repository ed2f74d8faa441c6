import type { ProxyGroup, TypeUrl } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import type { TypeState } from './standing.ts'

// What the xDS room tells about the fleet: the only way in which ACKs, NACKs and arrivals reach the controller.

/** One proxy: (identity, instance). Without an instance it is `unjoined`: known by its connection alone. */
export type Proxy = {
	/** `mesh/apps/virtualNode/serviceA#host-1`, or `…#connection-7` when unjoined. Unique among connected proxies. */
	readonly key: string
	readonly instance: string | null
	/** Availability zone, or ''. */
	readonly zone: string
	readonly group: ProxyGroup
	readonly groupKey: string
}

export type XdsEvent =
	/** The first stream of a proxy opened; its group may not have been published yet. */
	| { readonly kind: 'arrived'; readonly proxy: Proxy }
	/** Its last stream ended. */
	| { readonly kind: 'left'; readonly proxy: Proxy }
	/** Something in this group's view changed: an ACK, a NACK, an overdue answer. */
	| { readonly kind: 'progressed'; readonly groupKey: string }

/** What a proxy says that it holds, of which nothing is known here yet. In state of the world only the type's version. */
export type Reported = { readonly typeUrl: TypeUrl; readonly name: string | null; readonly version: string }

/** What a proxy has ACKed. Of what it has not answered for yet, what it had before. */
export type Acked = {
	readonly resources: readonly EncodedResource[]
	/** Said by the proxy when it came back: an earlier run has sent it, and what is in it is not known. */
	readonly unseen: readonly { readonly typeUrl: TypeUrl; readonly name: string }[]
}

/** A connected proxy, for people. */
export type ProxyStanding = {
	readonly proxy: Proxy
	/** How many resources it holds of each type, and the version of the last response that it accepted. */
	readonly held: Readonly<Record<TypeUrl, { readonly count: number; readonly version: string }>>
	readonly state: TypeState
}

/** A resource that a proxy refused, or did not answer for in time. */
export type Rejection = {
	readonly proxy: string
	readonly typeUrl: TypeUrl
	readonly name: string
	/** Version of the bytes that it refused: they are never sent to it again. */
	readonly version: string
	/** Envoy's own words, or that no answer came. */
	readonly text: string
}

export type TypeView = {
	/** Connected proxies that have ACKed all of the type's present version. */
	readonly current: number
	/** Connected proxies that have not, and did not refuse either. */
	readonly pending: number
	/** Connected proxies that refused some of it, or lack only what waits for something else that they refused. */
	readonly rejected: number
}

export type GroupView = {
	readonly group: ProxyGroup
	readonly connected: number
	/** Connected, plus those gone for less than ten minutes without a clean drain. */
	readonly expected: number
	/** Version of the snapshot that is served. */
	readonly version: string
	readonly types: Readonly<Record<TypeUrl, TypeView>>
	/** At most 20 of each, sorted. */
	readonly pending: readonly string[]
	readonly gone: readonly { readonly proxy: string; readonly version: string }[]
	readonly rejections: readonly Rejection[]
	/** Served like the others, and in none of the numbers and lists above: a person took them out. Sorted. */
	readonly excluded: readonly ExcludedProxy[]
}

export type ExcludedProxy = {
	readonly proxy: string
	/** `gone`: it left less than ten minutes ago without a drain. */
	readonly standing: 'connected' | 'gone'
	/** The last snapshot that it held all of, or ''. */
	readonly version: string
}

/** Group key → view. */
export type FleetView = ReadonlyMap<string, GroupView>
