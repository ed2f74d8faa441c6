// The few metrics that Sluice uses, and what Envoy calls them. With `emit_tags_as_labels` it sends every metric as a
// family of its own: `cluster.upstream_rq_xx` with the labels `envoy.cluster_name` and `envoy.response_code_class`.

/** The value of one counter or gauge of one cluster. Counters are cumulative. */
export type ClusterMetric =
	| CounterMetric
	/** Gauges. */
	| 'active'
	| 'open'
	| 'healthyHosts'
	| 'hosts'

export type CounterMetric =
	| 'completed'
	/** Final answers of the class 5xx. */
	| 'errors'
	| 'retries'
	| 'started'
	/** Connections begun, and those of them that failed: refused, timed out, or without a TLS session. */
	| 'connects'
	| 'connectFailures'
	/** Connections that were not even begun: there was no healthy host. */
	| 'withoutHost'
	| GrpcError

/** Answers with this gRPC status, whatever their HTTP status. */
export type GrpcError = (typeof grpcErrors)[number]

/** The statuses that say that the server failed: what a caller did wrong, or asked for in vain, is none. */
export const grpcErrors = [
	'grpcUnknown',
	'grpcDeadlineExceeded',
	'grpcUnimplemented',
	'grpcInternal',
	'grpcUnavailable',
	'grpcDataLoss',
] as const

export const counterMetrics: readonly CounterMetric[] = [
	...(['completed', 'errors', 'retries', 'started', 'connects', 'connectFailures', 'withoutHost'] as const),
	...grpcErrors,
]

/** Counters first. */
export const clusterMetrics: readonly ClusterMetric[] = [
	...counterMetrics,
	...(['active', 'open', 'healthyHosts', 'hosts'] as const),
]

/** Where each lies in an array of a cluster's values. */
export const metricSlots = Object.fromEntries(clusterMetrics.map((metric, slot) => [metric, slot])) as Readonly<
	Record<ClusterMetric, number>
>

/** What is read of a family: the value of each cluster, how long requests took, or how long the proxy has run. */
export type MetricUse = ClusterMetric | 'times' | 'uptime'

/** By the name of the family. */
export const metricUses: ReadonlyMap<string, MetricUse> = new Map([
	['cluster.upstream_rq_completed', 'completed'],
	['cluster.upstream_rq_xx', 'errors'],
	['cluster.upstream_rq_retry', 'retries'],
	['cluster.upstream_rq_total', 'started'],
	['cluster.upstream_rq_active', 'active'],
	['cluster.upstream_cx_active', 'open'],
	['cluster.membership_healthy', 'healthyHosts'],
	['cluster.membership_total', 'hosts'],
	['cluster.upstream_cx_total', 'connects'],
	['cluster.upstream_cx_connect_fail', 'connectFailures'],
	['cluster.upstream_cx_none_healthy', 'withoutHost'],
	['cluster.grpc.2', 'grpcUnknown'],
	['cluster.grpc.4', 'grpcDeadlineExceeded'],
	['cluster.grpc.12', 'grpcUnimplemented'],
	['cluster.grpc.13', 'grpcInternal'],
	['cluster.grpc.14', 'grpcUnavailable'],
	['cluster.grpc.15', 'grpcDataLoss'],
	['cluster.upstream_rq_time', 'times'],
	['server.uptime', 'uptime'],
])
