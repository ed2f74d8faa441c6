import { BoundedReader, type FieldBudget } from '#base/bounded-reader.ts'
import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { fail, type Result, succeed } from '#base/result.ts'

// A StreamMetricsMessage, read by hand for the few metrics that Sluice uses; the others are skipped by their name. With
// `emit_tags_as_labels` Envoy sends every metric as a family of its own: `cluster.upstream_rq_xx` with the labels
// `envoy.cluster_name` and `envoy.response_code_class`. Field numbers are those of
// envoy/service/metrics/v3/metrics_service.proto and io/prometheus/client/metrics.proto.

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

export type MetricsMessage = {
	/** Bytes of the node; only a stream's first message has them. */
	readonly node: Uint8Array | null
	/** Wall clock of the proxy, in ms, when the flush began: equal for all messages of one flush. 0 without metrics. */
	readonly flushedAtMs: number
	readonly clusters: ReadonlyMap<string, ReadonlyMap<ClusterMetric, number>>
	/** How long the cluster's requests took, those of this flush alone. */
	readonly times: ReadonlyMap<string, RequestTimes>
	/** Cumulative `no_cluster` and `no_route`, by listener prefix and name. */
	readonly unrouted: ReadonlyMap<string, number>
	/** Seconds since the proxy started, when this message says so. */
	readonly uptimeS: number | null
}

const clusterMetrics: ReadonlyMap<string, ClusterMetric> = new Map([
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
])
const timesMetric = 'cluster.upstream_rq_time'
const uptimeMetric = 'server.uptime'
const unroutedPattern = /^http\..*\bno_(cluster|route)$/
const egressPrefix = /^egress(\.|$)/

type Draft = {
	flushedAtMs: number
	readonly clusters: Map<string, Map<ClusterMetric, number>>
	readonly times: Map<string, RequestTimes>
	readonly unrouted: Map<string, number>
	uptimeS: number | null
}

/** A failure is half a sentence about what is wrong. */
export function readMetrics(bytes: Uint8Array): Result<MetricsMessage, string> {
	try {
		let node: Uint8Array | null = null
		const draft: Draft = { flushedAtMs: 0, clusters: new Map(), times: new Map(), unrouted: new Map(), uptimeS: null }
		const budget = { left: limits.flushFields }
		const reader = new BoundedReader(bytes, budget)
		while (reader.pos < reader.len) {
			const [field, wireType] = reader.tag()
			if (field === 1) node = readIdentifier(reader.bytes(), budget)
			else if (field === 2) readFamily(reader.bytes(), draft, budget)
			else reader.skip(wireType, field)
		}
		return succeed({ node, ...draft })
	} catch (error) {
		return fail(`not a metrics message: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function readIdentifier(bytes: Uint8Array, budget: FieldBudget): Uint8Array | null {
	let node: Uint8Array | null = null
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) node = reader.bytes()
		else reader.skip(wireType, field)
	}
	return node
}

function readFamily(bytes: Uint8Array, draft: Draft, budget: FieldBudget): void {
	let name = ''
	let use = usedFor(name)
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) {
			name = reader.string()
			// Once for all metrics of a family: of its name and their number a sender chooses both.
			use = usedFor(name)
		} else if (field === 4) {
			const metric = reader.bytes()
			if (draft.flushedAtMs === 0 || use !== null) take(name, readMetric(metric, budget), { use, draft })
		} else reader.skip(wireType, field)
	}
}

/** Null: for nothing. */
type Use = ClusterMetric | 'times' | 'uptime' | 'unrouted' | null

function usedFor(name: string): Use {
	if (name.length > limits.clusterNameChars) return null
	if (name === timesMetric) return 'times'
	if (name === uptimeMetric) return 'uptime'
	return clusterMetrics.get(name) ?? (unroutedPattern.test(name) ? 'unrouted' : null)
}

type Metric = { labels: Map<string, string>; value: number; times: RequestTimes | null; timestampMs: number }

function readMetric(bytes: Uint8Array, budget: FieldBudget): Metric {
	const metric: Metric = { labels: new Map(), value: 0, times: null, timestampMs: 0 }
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) readLabel(reader.bytes(), metric.labels, budget)
		else if (field === 2 || field === 3) metric.value = readValue(reader.bytes(), budget)
		else if (field === 6) metric.timestampMs = Number(reader.int64())
		else if (field === 7) metric.times = readHistogram(reader.bytes(), budget)
		else reader.skip(wireType, field)
	}
	return metric
}

function readLabel(bytes: Uint8Array, into: Map<string, string>, budget: FieldBudget): void {
	let name = ''
	let value = ''
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) name = reader.string()
		else if (field === 2) value = reader.string()
		else reader.skip(wireType, field)
	}
	into.set(name, value)
}

/** A counter or gauge holds one double. What is no count is left at 0: it must not spoil sums. */
function readValue(bytes: Uint8Array, budget: FieldBudget): number {
	let value = 0
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) value = reader.double()
		else reader.skip(wireType, field)
	}
	return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0
}

/** Buckets count from 0 up to their bound. More of them than anybody writes are no histogram. */
function readHistogram(bytes: Uint8Array, budget: FieldBudget): RequestTimes | null {
	let samples = 0
	const edgesMs: number[] = []
	const atMost: number[] = []
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) samples = Number(reader.uint64())
		else if (field === 3) {
			const [count, bound] = readBucket(reader.bytes(), budget)
			if (!Number.isFinite(bound)) continue
			atMost.push(count)
			edgesMs.push(bound)
			if (edgesMs.length > limits.histogramBuckets) return null
		} else reader.skip(wireType, field)
	}
	return { samples, edgesMs, atMost }
}

function readBucket(bytes: Uint8Array, budget: FieldBudget): [count: number, bound: number] {
	let count = 0
	let bound = 0
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) count = Number(reader.uint64())
		else if (field === 2) bound = reader.double()
		else reader.skip(wireType, field)
	}
	return [count, bound]
}

function take(name: string, metric: Metric, { use, draft }: { use: Use; draft: Draft }): void {
	if (draft.flushedAtMs === 0) draft.flushedAtMs = metric.timestampMs
	if (use === null) return
	if (use === 'uptime') draft.uptimeS = metric.value
	else if (use === 'unrouted') takeUnrouted(name, metric, draft)
	else takeOfCluster(use, metric, draft)
}

/** Of a cluster of ours: no other is known to anybody, and its name may be of any length. */
function takeOfCluster(use: ClusterMetric | 'times', metric: Metric, draft: Draft): void {
	const cluster = metric.labels.get('envoy.cluster_name')
	if (cluster === undefined || cluster.length > limits.clusterNameChars) return
	if (use === 'times') {
		if (metric.times !== null) draft.times.set(cluster, metric.times)
		return
	}
	if (use === 'errors' && metric.labels.get('envoy.response_code_class') !== '5') return
	let values = draft.clusters.get(cluster)
	if (values === undefined) {
		values = new Map()
		draft.clusters.set(cluster, values)
	}
	values.set(use, metric.value)
}

function takeUnrouted(name: string, metric: Metric, draft: Draft): void {
	const prefix = metric.labels.get('envoy.http_conn_manager_prefix') ?? ''
	if (prefix.length <= limits.clusterNameChars && egressPrefix.test(prefix))
		draft.unrouted.set(`${prefix} ${name}`, metric.value)
}
