// The contract of stage 2: what a revision means, after it was read, checked, linked and completed with defaults.
// A Mesh is frozen plain data: it can be hashed, stored by its hash and compared. Where each value was written is a
// side table (`Origins`), so that moving YAML between files is no change.

import type { Diagnostic } from '#base/diagnostic.ts'

/** App Mesh's path of a resource, e.g. `mesh/apps/virtualRouter/serviceB/route/serviceB`. Unique in a revision. */
export type ResourceId = string & { readonly __brand: 'ResourceId' }

/** Everything a revision declares. One revision may declare several App Mesh meshes. */
export type Mesh = {
	/** Hash of the ids and hashes of all resources. */
	readonly hash: string
	/** Sorted by id. */
	readonly resources: Readonly<Record<ResourceId, Resource>>
}

export type Resource = MeshResource | VirtualNode | VirtualService | VirtualRouter | Route | RolloutPolicy
export type Kind = Resource['kind']

type Common<K extends string, Spec> = {
	readonly kind: K
	readonly id: ResourceId
	/** The App Mesh mesh it belongs to. */
	readonly mesh: string
	readonly name: string
	readonly tags: Readonly<Record<string, string>>
	readonly spec: Spec
	/** Hash of kind, id and spec (tags do not count): equal hashes are the same configuration. */
	readonly hash: string
}

export type MeshResource = Common<'Mesh', MeshSpec>
export type VirtualNode = Common<'VirtualNode', VirtualNodeSpec>
export type VirtualService = Common<'VirtualService', VirtualServiceSpec>
export type VirtualRouter = Common<'VirtualRouter', VirtualRouterSpec>
export type Route = Common<'Route', RouteSpec>
export type RolloutPolicy = Common<'RolloutPolicy', RolloutPolicySpec>

export type IpPreference = 'IPv4_PREFERRED' | 'IPv6_PREFERRED' | 'IPv4_ONLY' | 'IPv6_ONLY'
export type HttpProtocol = 'http' | 'http2'

export type MeshSpec = {
	readonly egressFilter: 'ALLOW_ALL' | 'DROP_ALL'
	readonly ipPreference: IpPreference | null
}

export type VirtualNodeSpec = {
	readonly listeners: readonly VirtualNodeListener[]
	/** Sorted by virtual service. */
	readonly backends: readonly { readonly virtualService: ResourceId }[]
	readonly serviceDiscovery: ServiceDiscovery | null
}

export type VirtualNodeListener = {
	readonly port: number
	readonly protocol: HttpProtocol
	readonly timeout: HttpTimeout
}

export type ServiceDiscovery = {
	readonly kind: 'dns'
	readonly hostname: string
	readonly responseType: 'LOADBALANCER' | 'ENDPOINTS'
	readonly ipPreference: IpPreference | null
}

/** `null`: not written, so App Mesh's default holds (15 s per request, Envoy's own idle timeout). 0: no limit. */
export type HttpTimeout = { readonly perRequestMs: number | null; readonly idleMs: number | null }

export type VirtualServiceSpec = {
	/** `null`: no provider, the service takes no traffic. */
	readonly provider: { readonly kind: 'virtualNode' | 'virtualRouter'; readonly id: ResourceId } | null
}

export type VirtualRouterSpec = {
	readonly listeners: readonly { readonly port: number; readonly protocol: HttpProtocol }[]
}

export type RouteSpec = {
	readonly virtualRouter: ResourceId
	/** 0 is first. 1001 when not written. */
	readonly priority: number
	/** The router's protocol; an `httpRoute` on an http2 router is read as http2, with a warning. */
	readonly protocol: HttpProtocol
	readonly match: HttpMatch
	/** As written: App Mesh's relative integers, in written order. At least one is above 0. */
	readonly targets: readonly WeightedTarget[]
	/** `null`: App Mesh's default retries. */
	readonly retryPolicy: RetryPolicy | null
	readonly timeout: HttpTimeout
}

export type WeightedTarget = {
	readonly virtualNode: ResourceId
	/** The node's listener port that takes the traffic; resolved when not written. */
	readonly port: number
	readonly weight: number
}

export type HttpMatch = {
	readonly path: PathMatch
	readonly method: string | null
	readonly scheme: 'http' | 'https' | null
	readonly headers: readonly HeaderMatch[]
	/** The router's listener port; `null`: every port. */
	readonly port: number | null
}

export type PathMatch =
	| { readonly kind: 'prefix'; readonly prefix: string }
	| { readonly kind: 'exact'; readonly path: string }
	| { readonly kind: 'regex'; readonly regex: string }

export type HeaderMatch = { readonly name: string; readonly invert: boolean; readonly match: HeaderValueMatch }

export type HeaderValueMatch =
	| { readonly kind: 'present' }
	| { readonly kind: 'exact' | 'prefix' | 'suffix' | 'regex'; readonly value: string }
	/** Start is in the range, end is not. */
	| { readonly kind: 'range'; readonly start: number; readonly end: number }

export type RetryPolicy = {
	readonly maxRetries: number
	readonly perRetryTimeoutMs: number
	/** Sorted. */
	readonly httpRetryEvents: readonly ('server-error' | 'gateway-error' | 'client-error' | 'stream-error')[]
	readonly tcpRetryEvents: readonly 'connection-error'[]
}

export type RolloutPolicySpec = {
	/** Which routes it speaks for; an empty match speaks for all of its mesh. The most specific match wins. */
	readonly match: { readonly virtualRouter: string | null; readonly route: string | null }
	readonly steps: readonly RolloutStep[]
	readonly guards: readonly ErrorsGuard[]
	/** A rollout that takes longer is held with an alarm. Time the daemon was down counts. */
	readonly deadlineMs: number
	readonly onNoEvidence: 'hold' | 'rollBack'
	/** How long the last step is watched before the rollout has succeeded. */
	readonly bakeMs: number
	/** After each change of weight the sequential tests wait this long; the hard limit never does. */
	readonly warmUpMs: number
}

/** `sharePpm`: share of the route's traffic that the rising targets together are to have, in parts per million. */
export type RolloutStep = { readonly sharePpm: number; readonly minDurationMs: number; readonly minRequests: number }

export type ErrorsGuard = {
	readonly kind: 'errors'
	/** Chance, over the whole rollout, to roll back a version that is no worse. */
	readonly alpha: number
	/** A canary is worse only beyond `toleranceRatio` × baseline + `tolerancePpm`. */
	readonly toleranceRatio: number
	readonly tolerancePpm: number
	/** Where there is no baseline: the share of errors that is still accepted. */
	readonly absoluteLimitPpm: number
	/** Share of errors at which the hard limit acts. */
	readonly hardLimitPpm: number
}

/** (resource, JSON pointer into its document) → where it was written. The pointer `` is the document itself. */
export type Origins = Readonly<Record<ResourceId, Readonly<Record<string, Origin>>>>
export type Origin = { readonly file: string; readonly line: number; readonly column: number }

/** A revision is read whole or refused whole. Diagnostics and warnings are sorted by file and place. */
export type ReadOutcome =
	| {
			readonly kind: 'ok'
			readonly mesh: Mesh
			readonly origins: Origins
			readonly warnings: readonly Diagnostic[]
	  }
	/** Errors, and the warnings that were found beside them; at least one is an error. */
	| { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

/** The id of a resource by App Mesh's path rules. */
export const resourceId = {
	mesh: (mesh: string) => `mesh/${mesh}` as ResourceId,
	virtualNode: (mesh: string, name: string) => `mesh/${mesh}/virtualNode/${name}` as ResourceId,
	virtualService: (mesh: string, name: string) => `mesh/${mesh}/virtualService/${name}` as ResourceId,
	virtualRouter: (mesh: string, name: string) => `mesh/${mesh}/virtualRouter/${name}` as ResourceId,
	route: (mesh: string, router: string, name: string) =>
		`mesh/${mesh}/virtualRouter/${router}/route/${name}` as ResourceId,
	rolloutPolicy: (mesh: string, name: string) => `mesh/${mesh}/rolloutPolicy/${name}` as ResourceId,
}
