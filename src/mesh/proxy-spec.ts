import type { ResourceId } from './mesh.ts'
import type { HttpProtocol, Protocol, Timeout } from './route-spec.ts'

// The part of the contract that says what a proxy is to be: the listeners of nodes and gateways, how they are found and
// protected, and how proxies log, trace and count.

export type IpPreference = 'IPv4_PREFERRED' | 'IPv6_PREFERRED' | 'IPv4_ONLY' | 'IPv6_ONLY'
/**
 * How proxies log, trace and count. On a mesh it is what holds for all of its proxies; a node or a gateway that writes a
 * member has its own instead. `null`: not written.
 */
export type ProxySettings = {
	readonly accessLog: AccessLog | null
	readonly tracing: Tracing | null
	/** Of the bootstrap: a running proxy does not take it up. */
	readonly stats: StatsSettings | null
}

export type AccessLog = {
	/** Of the proxy's machine; `/dev/stdout` is its standard output. */
	readonly path: string
	/** `null`: Envoy's own line. */
	readonly format:
		| { readonly kind: 'text'; readonly text: string }
		/** In written order. */
		| { readonly kind: 'json'; readonly members: readonly { readonly key: string; readonly value: string }[] }
		| null
}

export type Tracing = {
	/** Share of the requests that the proxy itself decides to trace, in parts per million. */
	readonly samplingPpm: number
	readonly provider: TracingProvider
}

/** An IP address or a host name, and a port. */
export type Collector = { readonly address: string; readonly port: number }

export type TracingProvider =
	/** OTLP over gRPC. `serviceName` null: the proxy's own name. */
	| { readonly kind: 'openTelemetry'; readonly collector: Collector; readonly serviceName: string | null }
	| {
			readonly kind: 'zipkin'
			readonly collector: Collector
			readonly path: string
			readonly encoding: 'JSON' | 'PROTO'
	  }
	/** The daemon's address is an IP; `samplingRuleManifest` is a file of the proxy's machine. */
	| {
			readonly kind: 'xray'
			readonly daemon: Collector
			readonly segmentName: string | null
			readonly samplingRuleManifest: string | null
	  }
	| { readonly kind: 'datadog'; readonly collector: Collector; readonly serviceName: string | null }

export type StatsSettings = {
	/** UDP, to an IP address. */
	readonly statsd: (Collector & { readonly prefix: string | null; readonly format: 'statsd' | 'dogstatsd' }) | null
	/** Where `/stats/prometheus` is answered, and nothing else of the admin interface. */
	readonly prometheus: Collector | null
}

export type VirtualNodeSpec = ProxySettings & {
	/** Sorted by port. */
	readonly listeners: readonly VirtualNodeListener[]
	/** Sorted by virtual service. */
	readonly backends: readonly Backend[]
	readonly serviceDiscovery: ServiceDiscovery | null
}

export type Backend = {
	readonly virtualService: ResourceId
	/** Its own client policy's, or else that of the backend defaults; `null`: the server's listener decides. */
	readonly clientTls: ClientTls | null
	/** Explicit capture of a TCP service: the port on the proxy that the application dials instead of the service's. */
	readonly egressPort: number | null
}

export type VirtualNodeListener = {
	readonly port: number
	readonly protocol: Protocol
	/** Of a TCP listener only the idle one counts. */
	readonly timeout: Timeout
	readonly healthCheck: HealthCheck | null
	readonly outlierDetection: OutlierDetection | null
	readonly connectionPool: ConnectionPool | null
	readonly tls: ListenerTls | null
}

/** Run by every caller's proxy against every endpoint. */
export type HealthCheck = {
	readonly protocol: Protocol
	/** `/` when not written; of http and http2 only. */
	readonly path: string
	readonly healthyThreshold: number
	readonly unhealthyThreshold: number
	readonly intervalMs: number
	readonly timeoutMs: number
}

/** Declared by the server, carried out by each caller's proxy. */
export type OutlierDetection = {
	/** Consecutive 5xx answers. */
	readonly maxServerErrors: number
	/** 0 where App Mesh was given none that Envoy takes: Envoy's own default then holds. */
	readonly intervalMs: number
	readonly baseEjectionDurationMs: number
	readonly maxEjectionPercent: number
}

/** Limits of the way from the proxy to its own application (a gateway's: to its own egress). `null`: no limit. */
export type ConnectionPool = {
	readonly maxConnections: number | null
	readonly maxPendingRequests: number | null
	readonly maxRequests: number | null
}

export type ListenerTls = {
	readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLED'
	readonly certificate: Certificate
	/** Clients must show a certificate that this accepts; `null`: they need none. */
	readonly validation: TlsValidation | null
	/**
	 * Never written by people. `false`: TLS is taken, and callers are not told so: while servers begin or cease to take it,
	 * not all of them do.
	 */
	readonly offered?: false
}

export type ClientTls = {
	/** False: TLS only towards listeners that offer it. */
	readonly enforce: boolean
	/** Listener ports of the server for which this holds, sorted; empty: all. */
	readonly ports: readonly number[]
	/** What the client shows of itself; never of ACM. */
	readonly certificate: Certificate | null
	readonly validation: TlsValidation
}

export type Certificate =
	/** Files of the proxy's machine, which it reads itself, and again when they are replaced. */
	| { readonly kind: 'file'; readonly certificateChain: string; readonly privateKey: string }
	| { readonly kind: 'sds'; readonly secretName: string }
	/** Read as a secret with the last part of the ARN for its name. */
	| { readonly kind: 'acm'; readonly certificateArn: string }

export type TlsValidation = {
	readonly trust: Trust
	/** One of them must be in the certificate, sorted; empty: a client asks for the service's discovery name, a server for none. */
	readonly subjectAlternativeNames: readonly string[]
}

export type Trust =
	| { readonly kind: 'file'; readonly certificateChain: string }
	| { readonly kind: 'sds'; readonly secretName: string }
	| { readonly kind: 'acm'; readonly certificateAuthorityArns: readonly string[] }

export type ServiceDiscovery =
	| {
			readonly kind: 'dns'
			readonly hostname: string
			readonly responseType: 'LOADBALANCER' | 'ENDPOINTS'
			readonly ipPreference: IpPreference | null
	  }
	| {
			readonly kind: 'awsCloudMap'
			readonly namespaceName: string
			readonly serviceName: string
			/** An instance must have all of them. Sorted by key. */
			readonly attributes: readonly { readonly key: string; readonly value: string }[]
			readonly ipPreference: IpPreference | null
	  }
	/** Ours: addresses written down. Sorted. A port of null is the listener's. */
	| {
			readonly kind: 'static'
			readonly endpoints: readonly { readonly address: string; readonly port: number | null }[]
	  }

export type VirtualGatewaySpec = ProxySettings & {
	/** Sorted by port. */
	readonly listeners: readonly GatewayListener[]
	readonly clientTls: ClientTls | null
}

export type GatewayListener = {
	readonly port: number
	readonly protocol: HttpProtocol
	/** Nobody runs it: it is kept for who reads it, a load balancer's set-up say. */
	readonly healthCheck: HealthCheck | null
	readonly connectionPool: ConnectionPool | null
	readonly tls: ListenerTls | null
}
