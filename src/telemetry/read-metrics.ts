import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { createByteNames, isAt } from './byte-names.ts'
import { type ClusterMetric, type MetricUse, metricUses } from './cluster-metric.ts'
import { createNameMemory, type NameMemory } from './name-memory.ts'
import { readHistogram } from './read-histogram.ts'
import {
	enter,
	leave,
	readDouble,
	readInt64,
	readTag,
	type Span,
	scanOf,
	skipField,
	type WireScan,
} from './wire-scan.ts'

// A StreamMetricsMessage, scanned for the few metrics that Sluice uses: the others are passed over as bytes, their names
// too. A flush has some fifty families, a fleet sends thousands of flushes a second. Field numbers are those of
// envoy/service/metrics/v3/metrics_service.proto and io/prometheus/client/metrics.proto.

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

const unroutedPattern = /^http\..*\bno_(cluster|route)$/
const egressPrefix = /^egress(\.|$)/

type Draft = {
	node: Uint8Array | null
	flushedAtMs: number
	readonly clusters: Map<string, Map<ClusterMetric, number>>
	readonly times: Map<string, RequestTimes>
	readonly unrouted: Map<string, number>
	uptimeS: number | null
}

/** A failure is half a sentence about what is wrong. Give it the same memory each time. */
export function readMetrics(bytes: Uint8Array, names: NameMemory = createNameMemory()): Result<MetricsMessage, string> {
	const scan = scanOf(bytes, limits.flushFields)
	const [clusters, times, unrouted] = [new Map(), new Map(), new Map()]
	const draft: Draft = { node: null, flushedAtMs: 0, clusters, times, unrouted, uptimeS: null }
	try {
		while (scan.at < scan.end) {
			const tag = readTag(scan)
			if (tag >>> 3 === 1) draft.node = readIdentifier(scan)
			else if (tag >>> 3 === 2) readFamily(scan, draft, names)
			else skipField(scan, tag)
		}
		return succeed(draft)
	} catch (error) {
		return fail(`not a metrics message: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function readIdentifier(scan: WireScan): Uint8Array | null {
	let node: Uint8Array | null = null
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) {
			const { from, to } = readSpan(scan)
			node = scan.bytes.subarray(from, to)
		} else skipField(scan, tag)
	}
	leave(scan, end)
	return node
}

/** What a family is of use for. */
type Family = { readonly use: MetricUse } | { readonly use: 'unrouted'; readonly name: string }

const families = createByteNames<Family>()
for (const [name, use] of metricUses) families.add(bytesOf(name), { use })

function readFamily(scan: WireScan, draft: Draft, names: NameMemory): void {
	let family: Family | null = null
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		// Once for all metrics of a family: of its name and their number a sender chooses both.
		if (tag >>> 3 === 1) family = familyNamed(scan.bytes, readSpan(scan), names)
		else if (tag >>> 3 !== 4) skipField(scan, tag)
		else if (family === null && draft.flushedAtMs !== 0) readSpan(scan)
		else readMetric(scan, { family, draft, names })
	}
	leave(scan, end)
}

const httpPrefix = bytesOf('http.')
const routeSuffix = bytesOf('no_route')
const clusterSuffix = bytesOf('no_cluster')

function familyNamed(bytes: Uint8Array, { from, to }: Span, names: NameMemory): Family | null {
	const known = families.find(bytes, from, to)
	if (known !== undefined) return known
	const ends = (suffix: Uint8Array) => isAt(bytes, to - suffix.length, to, suffix)
	if (!isAt(bytes, from, from + httpPrefix.length, httpPrefix)) return null
	const name = ends(routeSuffix) || ends(clusterSuffix) ? names.textAt(bytes, from, to) : null
	return name !== null && unroutedPattern.test(name) ? { use: 'unrouted', name } : null
}

type Reading = { readonly family: Family | null; readonly draft: Draft; readonly names: NameMemory }

type Metric = {
	/** Values of its labels; null where it has no such label. */
	cluster: Span | null
	responseClass: Span | null
	listenerPrefix: Span | null
	value: number
	times: RequestTimes | null
	timestampMs: number
}

function readMetric(scan: WireScan, { family, draft, names }: Reading): void {
	const [cluster, responseClass, listenerPrefix] = [null, null, null]
	const metric: Metric = { cluster, responseClass, listenerPrefix, value: 0, times: null, timestampMs: 0 }
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		const field = tag >>> 3
		if (field === 1) readLabel(scan, metric)
		else if (field === 2 || field === 3) metric.value = readValue(scan)
		else if (field === 6) metric.timestampMs = readInt64(scan)
		else if (field === 7) metric.times = readHistogram(scan)
		else skipField(scan, tag)
	}
	leave(scan, end)
	if (draft.flushedAtMs === 0) draft.flushedAtMs = metric.timestampMs
	if (family === null) return
	const textOf = (span: Span) => names.textAt(scan.bytes, span.from, span.to)
	if (family.use === 'uptime') draft.uptimeS = metric.value
	else if (family.use === 'unrouted') takeUnrouted(family.name, metric, { draft, textOf })
	else if (family.use !== 'errors' || isServerError(scan.bytes, metric.responseClass))
		takeOfCluster(family.use, metric, { draft, textOf })
}

const clusterLabel = bytesOf('envoy.cluster_name')
const responseClassLabel = bytesOf('envoy.response_code_class')
const listenerPrefixLabel = bytesOf('envoy.http_conn_manager_prefix')

function readLabel(scan: WireScan, into: Metric): void {
	let name: Span = nowhere
	let value: Span = nowhere
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) name = readSpan(scan)
		else if (tag >>> 3 === 2) value = readSpan(scan)
		else skipField(scan, tag)
	}
	leave(scan, end)
	const isNamed = (label: Uint8Array) => isAt(scan.bytes, name.from, name.to, label)
	if (isNamed(clusterLabel)) into.cluster = value
	else if (isNamed(responseClassLabel)) into.responseClass = value
	else if (isNamed(listenerPrefixLabel)) into.listenerPrefix = value
}

const nowhere: Span = { from: 0, to: 0 }

/** A counter or gauge holds one double. What is no count is left at 0: it must not spoil sums. */
function readValue(scan: WireScan): number {
	let value = 0
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) value = readDouble(scan)
		else skipField(scan, tag)
	}
	leave(scan, end)
	return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0
}

/** Class `5`. */
function isServerError(bytes: Uint8Array, responseClass: Span | null): boolean {
	return responseClass !== null && responseClass.to - responseClass.from === 1 && bytes[responseClass.from] === 0x35
}

type Taking = { readonly draft: Draft; readonly textOf: (span: Span) => string | null }

/** Of a cluster of ours: no other is known to anybody, and its name may be of any length. */
function takeOfCluster(use: ClusterMetric | 'times', metric: Metric, { draft, textOf }: Taking): void {
	const cluster = metric.cluster === null ? null : textOf(metric.cluster)
	if (cluster === null) return
	if (use === 'times') {
		if (metric.times !== null && draft.times.size < limits.flushClusters) draft.times.set(cluster, metric.times)
		return
	}
	const values = draft.clusters.get(cluster)
	if (values !== undefined) values.set(use, metric.value)
	else if (draft.clusters.size < limits.flushClusters) draft.clusters.set(cluster, new Map([[use, metric.value]]))
}

function takeUnrouted(name: string, metric: Metric, { draft, textOf }: Taking): void {
	const prefix = metric.listenerPrefix === null ? null : textOf(metric.listenerPrefix)
	const hasRoom = draft.unrouted.size < limits.flushClusters
	if (prefix !== null && hasRoom && egressPrefix.test(prefix)) draft.unrouted.set(`${prefix} ${name}`, metric.value)
}

function readSpan(scan: WireScan): Span {
	const end = enter(scan)
	const span = { from: scan.at, to: scan.end }
	leave(scan, end)
	return span
}

function bytesOf(text: string): Uint8Array {
	return new TextEncoder().encode(text)
}
