import type { ResourceId } from './mesh.ts'

// The part of the contract that says which requests go where: routes, gateway routes, and what they match.

export type Protocol = 'http' | 'http2' | 'grpc' | 'tcp'
/** What Envoy takes apart into requests. */
export type HttpProtocol = Exclude<Protocol, 'tcp'>

/** `null`: not written, so App Mesh's default holds (15 s per request, Envoy's own idle timeout). 0: no limit. */
export type Timeout = { readonly perRequestMs: number | null; readonly idleMs: number | null }

export type RouteSpec = {
	readonly virtualRouter: ResourceId
	/** 0 is first. 1001 when not written. */
	readonly priority: number
	/** The router's protocol; an `httpRoute` on an http2 router is read as http2, with a warning. */
	readonly protocol: Protocol
	readonly match: RouteMatch
	/** As written: App Mesh's relative integers, in written order. At least one is above 0. */
	readonly targets: readonly WeightedTarget[]
	/** `null`: App Mesh's default retries (TCP: none). */
	readonly retryPolicy: RetryPolicy | null
	readonly timeout: Timeout
}

export type WeightedTarget = {
	readonly virtualNode: ResourceId
	/** The node's listener port that takes the traffic; resolved when not written. */
	readonly port: number
	readonly weight: number
}

/** `http` for http and http2. `port`: the router's listener port; `null`: every port. */
export type RouteMatch = HttpMatch | GrpcMatch | TcpMatch

export type HttpMatch = {
	readonly kind: 'http'
	readonly path: PathMatch
	readonly method: string | null
	readonly scheme: 'http' | 'https' | null
	readonly headers: readonly HeaderMatch[]
	readonly queryParameters: readonly QueryParameterMatch[]
	readonly port: number | null
}

export type GrpcMatch = {
	readonly kind: 'grpc'
	/** Full name of the gRPC service; `null`: all. */
	readonly serviceName: string | null
	readonly methodName: string | null
	readonly metadata: readonly HeaderMatch[]
	readonly port: number | null
}

export type TcpMatch = { readonly kind: 'tcp'; readonly port: number | null }

/** Requests of a route that its rollouts send to the canaries whatever the shares. All conditions hold. */
export type FrontMatch =
	| {
			readonly kind: 'http'
			readonly headers: readonly HeaderMatch[]
			readonly queryParameters: readonly QueryParameterMatch[]
	  }
	| { readonly kind: 'grpc'; readonly metadata: readonly HeaderMatch[] }

/** What says which user a request is of: the same value, the same version while a rollout runs. */
export type Sticky = { readonly kind: 'header' | 'cookie'; readonly name: string }

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

/** `exact` null: the parameter is there, whatever its value. */
export type QueryParameterMatch = { readonly name: string; readonly exact: string | null }

export type RetryPolicy = {
	readonly maxRetries: number
	readonly perRetryTimeoutMs: number
	/** Each sorted. */
	readonly httpRetryEvents: readonly ('server-error' | 'gateway-error' | 'client-error' | 'stream-error')[]
	readonly tcpRetryEvents: readonly 'connection-error'[]
	readonly grpcRetryEvents: readonly GrpcRetryEvent[]
}

export type GrpcRetryEvent = 'cancelled' | 'deadline-exceeded' | 'internal' | 'resource-exhausted' | 'unavailable'

export type GatewayRouteSpec = {
	readonly virtualGateway: ResourceId
	/** 0 is first. 1001 when not written. */
	readonly priority: number
	readonly protocol: HttpProtocol
	readonly match: GatewayRouteMatch
	/** `port`: the virtual service's, needed when its provider has several listeners. */
	readonly target: { readonly virtualService: ResourceId; readonly port: number | null }
	/** `virtualService`: the host becomes the virtual service's name. */
	readonly hostRewrite: 'virtualService' | 'none'
	readonly pathRewrite: PathRewrite
}

/** `port`: the gateway's listener port; `null`: every port. */
export type GatewayRouteMatch =
	| {
			readonly kind: 'http'
			readonly path: PathMatch
			readonly hostname: HostnameMatch | null
			readonly method: string | null
			readonly headers: readonly HeaderMatch[]
			readonly queryParameters: readonly QueryParameterMatch[]
			readonly port: number | null
	  }
	| {
			readonly kind: 'grpc'
			readonly serviceName: string | null
			readonly hostname: HostnameMatch | null
			readonly metadata: readonly HeaderMatch[]
			readonly port: number | null
	  }

/** In lower case: host names know no other. */
export type HostnameMatch = { readonly kind: 'exact' | 'suffix'; readonly value: string }

export type PathRewrite =
	| { readonly kind: 'none' }
	/** The matched prefix becomes `prefix`. */
	| { readonly kind: 'prefix'; readonly prefix: string }
	/** The whole path becomes `path`. */
	| { readonly kind: 'path'; readonly path: string }
