// The contract of stage 2: what a revision means, after it was read, checked, linked and completed with defaults.
// A Mesh is frozen plain data: it can be hashed, stored by its hash and compared. Where each value was written is a
// side table (`Origins`), so that moving YAML between files is no change.

import type { Diagnostic } from '#base/diagnostic.ts'
import type { HookSpec } from './hook-spec.ts'
import type { IpPreference, ProxySettings, VirtualGatewaySpec, VirtualNodeSpec } from './proxy-spec.ts'
import type { FrontMatch, GatewayRouteSpec, Protocol, RouteSpec, Sticky } from './route-spec.ts'

/** App Mesh's path of a resource, e.g. `mesh/apps/virtualRouter/serviceB/route/serviceB`. Unique in a revision. */
export type ResourceId = string & { readonly __brand: 'ResourceId' }

/** Everything a revision declares. One revision may declare several App Mesh meshes. */
export type Mesh = {
	/** Hash of the ids and hashes of all resources. */
	readonly hash: string
	/** Sorted by id. */
	readonly resources: Readonly<Record<ResourceId, Resource>>
}

export type Resource =
	| MeshResource
	| VirtualNode
	| VirtualService
	| VirtualRouter
	| Route
	| VirtualGateway
	| GatewayRoute
	| RolloutPolicy
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
export type VirtualGateway = Common<'VirtualGateway', VirtualGatewaySpec>
export type GatewayRoute = Common<'GatewayRoute', GatewayRouteSpec>
export type RolloutPolicy = Common<'RolloutPolicy', RolloutPolicySpec>

export type MeshSpec = ProxySettings & {
	readonly egressFilter: 'ALLOW_ALL' | 'DROP_ALL'
	readonly ipPreference: IpPreference | null
}

export type VirtualServiceSpec = {
	/** `null`: no provider, the service takes no traffic. */
	readonly provider: { readonly kind: 'virtualNode' | 'virtualRouter'; readonly id: ResourceId } | null
}

export type VirtualRouterSpec = {
	readonly listeners: readonly { readonly port: number; readonly protocol: Protocol }[]
}

export type RolloutPolicySpec = {
	/** Which routes it speaks for; an empty match speaks for all of its mesh. The most specific match wins. */
	readonly match: { readonly virtualRouter: string | null; readonly route: string | null }
	readonly steps: readonly RolloutStep[]
	/** What goes to the rising targets whatever their share, while a rollout has begun and not ended. Any of them matches. */
	readonly front: readonly FrontMatch[]
	/** At a first step without a share: of so many of the requests the rising targets are sent copies. 0: of none. */
	readonly mirrorPpm: number
	/** Requests that have it are drawn by its value while a rollout runs, and not by chance; null: all are by chance. */
	readonly sticky: Sticky | null
	/** Names are unique; of every other kind there is one at most. */
	readonly guards: readonly Guard[]
	/** Why nothing is asked for before a step but its duration; null where guards are. */
	readonly unguarded: string | null
	/** Of the whole rollout. Time the daemon was down counts, time in which people hold it does not. */
	readonly deadlineMs: number
	/** When a deadline has passed, of a step or of the rollout. */
	readonly onDeadline: 'hold' | 'rollBack'
	/** When a step's deadline has passed, and nothing is missing but canary requests, of which there was none. */
	readonly onNoTraffic: 'hold' | 'advance' | 'rollBack'
	/** Likewise, where there were some, and too few to tell. */
	readonly onInconclusive: 'hold' | 'advance' | 'rollBack'
	readonly onNoEvidence: 'hold' | 'rollBack'
	/** When canary and baseline fail alike: no step forward, and what else. */
	readonly onSharedIncident: OnSharedIncident
	/** How long the last step is watched before the rollout has succeeded, or the one at which something is held back. */
	readonly bakeMs: number
	/** Share of the traffic that the falling targets keep during the bake, in parts per million. 0: nothing but the target's. */
	readonly holdBackPpm: number
	/** How changes other than of weights go out; null: at once. Only where the policy speaks for its whole mesh. */
	readonly waves: WavesSpec | null
	/** Whether routes of a router that shift together towards the same targets are one rollout. */
	readonly group: 'join' | 'split'
	/** After each change of weight the sequential tests wait this long; the hard limit never does. */
	readonly warmUpMs: number
	/** When rollouts may go forward; none: always. */
	readonly windows: readonly RolloutWindow[]
	/** Who is told of a rollout, or asked whether it may go on; names are unique. */
	readonly hooks: readonly HookSpec[]
}

/** `stepBack`: where it began soon after a step, that step is taken back as a precaution. */
export type OnSharedIncident = 'stepBack' | 'hold' | 'rollBack'

export type RolloutStep = {
	/**
	 * Share of the route's traffic that the rising targets together are to have, in parts per million. 0, in a first step
	 * only: all that they have is what is in front, and copies.
	 */
	readonly sharePpm: number
	readonly minDurationMs: number
	readonly minRequests: number
	/** Null: the policy's. */
	readonly warmUpMs: number | null
	/** `person`: the step ends only when somebody has approved it. */
	readonly gate: 'none' | 'person'
	/** From the moment the step was decided; null: none but the rollout's. */
	readonly deadlineMs: number | null
}

/** Hours of a day, on some days of the week, by the clocks of a place. */
export type RolloutWindow = {
	/** Days on which it begins, 0 is Sunday. Rising. */
	readonly days: readonly number[]
	/** Minutes from midnight. */
	readonly fromMinute: number
	/** Up to this minute, which is no part of it; of the next day when it is not after `fromMinute`. */
	readonly toMinute: number
	/** An IANA name: `Europe/Berlin`. */
	readonly timeZone: string
}

/** After one proxy: parts of the proxies, in parts per million, rising; then all of them. */
export type WavesSpec = { readonly sharesPpm: readonly number[]; readonly minDurationMs: number }

export type Guard = ErrorsGuard | LatencyGuard | ThresholdGuard

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

/** The share of requests that took longer than an edge, against the baseline's. */
export type LatencyGuard = {
	readonly kind: 'latency'
	/** One of `latencyEdgesMs`; null: edges follow from what the baseline does. */
	readonly thresholdMs: number | null
	/** A canary is worse only beyond `toleranceRatio` × baseline + `tolerancePpm`. */
	readonly toleranceRatio: number
	readonly tolerancePpm: number
}

/** A figure that somebody else measures, and the bounds it is to stay in while canaries have traffic. */
export type ThresholdGuard = {
	readonly kind: 'threshold'
	readonly name: string
	readonly source: ThresholdSource
	/** One of the two is not null. */
	readonly min: number | null
	readonly max: number | null
	readonly intervalMs: number
	/** How far back a value looks: it speaks for a step when its whole window lies in that step. */
	readonly windowMs: number
	/** Measurements in bounds that a step must have seen. */
	readonly minMeasurements: number
	/** So many out of bounds, among the newest `of` that had data, take the rollout back. */
	readonly breaches: { readonly count: number; readonly of: number }
	/** Without data nothing moves forward; `rollBack`: after a while it goes back. */
	readonly onNoData: 'hold' | 'rollBack'
}

/** Whom a threshold guard asks. Queries and URLs may hold variables (query-template.ts). */
export type ThresholdSource =
	| {
			readonly kind: 'prometheus'
			/** Where its API is, without `/api/v1`. */
			readonly address: string
			readonly query: string
			/** What the daemon knows the secret by; null: none is sent. */
			readonly credentials: string | null
	  }
	| {
			readonly kind: 'http'
			readonly url: string
			/** JSON pointer to the number in the answer. */
			readonly value: string
			/** JSON pointer to the time of the value; null: the answer is taken to be of now. */
			readonly time: string | null
			readonly credentials: string | null
	  }
	| {
			readonly kind: 'cloudWatchMetric'
			readonly namespace: string
			readonly metricName: string
			readonly dimensions: Readonly<Record<string, string>>
			readonly statistic: string
			/** A window with fewer is no data. */
			readonly minSamples: number
			/** Null: the one of the daemon's own AWS settings. */
			readonly region: string | null
	  }
	/** The figure is the number of alarms that are in the state ALARM. */
	| { readonly kind: 'cloudWatchAlarm'; readonly names: readonly string[]; readonly region: string | null }

/**
 * What the writers of a mesh expect of it: a request, and where it is to go. A revision that does not fulfil its own
 * expectations is refused. Its places are in the origins, under its id.
 */
export type Expectation = {
	/** `mesh/apps/expectation/NAME`. */
	readonly id: ResourceId
	readonly mesh: string
	readonly name: string
	/** Whose proxy is asked. */
	readonly from: { readonly kind: 'virtualNode' | 'virtualGateway'; readonly name: string }
	readonly request: {
		readonly method: string
		/** Absolute, `http:` or `https:`; its port is the one that is dialled. */
		readonly url: string
		/** Names in lower case. */
		readonly headers: readonly { readonly name: string; readonly value: string }[]
	}
	readonly expected: {
		/** Name of the route that takes the request; `null`: not said. */
		readonly route: string | null
		/** Name of the gateway route that takes it; `null`: not said. */
		readonly gatewayRoute: string | null
		readonly virtualService: string | null
		/** Names of all virtual nodes that are to get a share above 0, sorted; `null`: not said. */
		readonly virtualNodes: readonly string[] | null
		/** True: no route takes it. */
		readonly noRoute: boolean
	}
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
			/** Sorted by id. No part of the mesh: they change nothing that is served. */
			readonly expectations: readonly Expectation[]
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
	virtualGateway: (mesh: string, name: string) => `mesh/${mesh}/virtualGateway/${name}` as ResourceId,
	gatewayRoute: (mesh: string, gateway: string, name: string) =>
		`mesh/${mesh}/virtualGateway/${gateway}/gatewayRoute/${name}` as ResourceId,
	expectation: (mesh: string, name: string) => `mesh/${mesh}/expectation/${name}` as ResourceId,
	rolloutPolicy: (mesh: string, name: string) => `mesh/${mesh}/rolloutPolicy/${name}` as ResourceId,
}
