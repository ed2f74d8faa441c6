import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { bytesOf, isAt } from './byte-names.ts'
import { metricSlots } from './cluster-metric.ts'
import { familyNamed, type MetricFamily } from './metric-family.ts'
import { createNameMemory, type NameMemory } from './name-memory.ts'
import { readHistogram } from './read-histogram.ts'
import { createReadings, type Readings } from './readings.ts'
import {
	enter,
	leave,
	passText,
	readDouble,
	readInt64,
	readTag,
	scanAnew,
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
	readonly readings: Pick<Readings, 'each'>
	/** How long the cluster's requests took, those of this flush alone. */
	readonly times: ReadonlyMap<string, RequestTimes>
	/** Cumulative `no_cluster` and `no_route`, by listener prefix and name. */
	readonly unrouted: ReadonlyMap<string, number>
	/** Seconds since the proxy started, when this message says so. */
	readonly uptimeS: number | null
}

const egressPrefix = /^egress(\.|$)/

/**
 * What is read, and the metric of it that is just read: the same objects for all messages. Thousands of flushes a second,
 * each of which leaves some hundred small ones behind, would be what the garbage collector lives on.
 */
type MessageScan = {
	readonly scan: WireScan
	readonly names: NameMemory
	readonly draft: Draft
	readonly wantsTimes: () => boolean
	/** The family that is read; null where it is of no use. */
	family: MetricFamily | null
	readonly metric: Metric
}

type Draft = {
	node: Uint8Array | null
	flushedAtMs: number
	readonly readings: Readings
	readonly times: Map<string, RequestTimes>
	readonly unrouted: Map<string, number>
	uptimeS: number | null
}

/** A text in the bytes; nowhere where there is none. */
type Place = { from: number; to: number }

type Metric = {
	/** Values of its labels. */
	readonly cluster: Place
	readonly responseClass: Place
	readonly listenerPrefix: Place
	value: number
	times: RequestTimes | null
	timestampMs: number
}

/** A failure is half a sentence about what is wrong. A message is valid until the next one is read. */
export type MetricsReader = (bytes: Uint8Array) => Result<MetricsMessage, string>

/** @param wantsTimes whether anybody asks now how long requests took: half of what is read of a message are these */
export function createMetricsReader({ wantsTimes }: { readonly wantsTimes: () => boolean }): MetricsReader {
	const [readings, times, unrouted] = [createReadings(), new Map(), new Map()]
	const draft: Draft = { node: null, flushedAtMs: 0, readings, times, unrouted, uptimeS: null }
	const scan = scanOf(new Uint8Array(), 0)
	const names = createNameMemory()
	const reading: MessageScan = { scan, names, draft, wantsTimes, family: null, metric: newMetric() }
	return (bytes) => {
		clearDraft(draft)
		scanAnew(scan, bytes, limits.flushFields)
		try {
			readMessage(reading)
			return succeed(draft)
		} catch (error) {
			return fail(`not a metrics message: ${error instanceof Error ? error.message : String(error)}`)
		}
	}
}

function clearDraft(draft: Draft): void {
	draft.node = null
	draft.flushedAtMs = 0
	draft.readings.clear()
	if (draft.times.size > 0) draft.times.clear()
	if (draft.unrouted.size > 0) draft.unrouted.clear()
	draft.uptimeS = null
}

function readMessage(reading: MessageScan): void {
	const { scan, draft } = reading
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) draft.node = readIdentifier(scan)
		else if (tag >>> 3 === 2) readFamily(reading)
		else skipField(scan, tag)
	}
}

function readIdentifier(scan: WireScan): Uint8Array | null {
	let node: Uint8Array | null = null
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) {
			const from = passText(scan)
			node = scan.bytes.subarray(from, scan.at)
		} else skipField(scan, tag)
	}
	leave(scan, end)
	return node
}

function readFamily(reading: MessageScan): void {
	const { scan, names, draft } = reading
	reading.family = null
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		// Once for all metrics of a family: of its name and their number a sender chooses both.
		if (tag >>> 3 === 1) {
			const from = passText(scan)
			reading.family = familyNamed(scan, from, names)
			if (reading.family?.use === 'times' && !reading.wantsTimes()) reading.family = null
		} else if (tag >>> 3 !== 4) skipField(scan, tag)
		else if (reading.family === null && draft.flushedAtMs !== 0) passText(scan)
		else readMetric(reading)
	}
	leave(scan, end)
}

const nowhere = -1

function newMetric(): Metric {
	const place = (): Place => ({ from: nowhere, to: nowhere })
	const [cluster, responseClass, listenerPrefix] = [place(), place(), place()]
	return { cluster, responseClass, listenerPrefix, value: 0, times: null, timestampMs: 0 }
}

function clearMetric(metric: Metric): void {
	metric.cluster.from = nowhere
	metric.responseClass.from = nowhere
	metric.listenerPrefix.from = nowhere
	metric.value = 0
	metric.times = null
	metric.timestampMs = 0
}

function readMetric(reading: MessageScan): void {
	const { scan, draft, family, metric } = reading
	clearMetric(metric)
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		const field = tag >>> 3
		if (field === 1) readLabel(scan, metric)
		else if (field === 2 || field === 3) metric.value = readValue(scan)
		else if (field === 6 && draft.flushedAtMs === 0) metric.timestampMs = readInt64(scan)
		else if (field === 7) metric.times = readHistogram(scan)
		else skipField(scan, tag)
	}
	leave(scan, end)
	if (draft.flushedAtMs === 0) draft.flushedAtMs = metric.timestampMs
	if (family === null) return
	if (family.use === 'cluster') takeOfCluster(family.slot, reading)
	else if (family.use === 'times') takeTimes(reading)
	else if (family.use === 'unrouted') takeUnrouted(family.name, reading)
	else draft.uptimeS = metric.value
}

const clusterLabel = bytesOf('envoy.cluster_name')
const responseClassLabel = bytesOf('envoy.response_code_class')
const listenerPrefixLabel = bytesOf('envoy.http_conn_manager_prefix')

function readLabel(scan: WireScan, into: Metric): void {
	let nameFrom = 0
	let nameTo = 0
	let valueFrom = 0
	let valueTo = 0
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) {
			nameFrom = passText(scan)
			nameTo = scan.at
		} else if (tag >>> 3 === 2) {
			valueFrom = passText(scan)
			valueTo = scan.at
		} else skipField(scan, tag)
	}
	leave(scan, end)
	const value = placeOfLabel(into, scan.bytes, nameFrom, nameTo)
	if (value === null) return
	value.from = valueFrom
	value.to = valueTo
}

/** Where the value of the label of this name is kept, if it is of use. */
function placeOfLabel(
	{ cluster, responseClass, listenerPrefix }: Metric,
	bytes: Uint8Array,
	from: number,
	to: number,
): Place | null {
	if (isAt(bytes, from, to, clusterLabel)) return cluster
	if (isAt(bytes, from, to, responseClassLabel)) return responseClass
	return isAt(bytes, from, to, listenerPrefixLabel) ? listenerPrefix : null
}

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
function isServerError(bytes: Uint8Array, { from, to }: Place): boolean {
	return from !== nowhere && to - from === 1 && bytes[from] === 0x35
}

/** Of a cluster of ours: no other is known to anybody, and its name may be of any length. */
function takeOfCluster(slot: number, { scan, names, draft, metric }: MessageScan): void {
	if (slot === metricSlots.errors && !isServerError(scan.bytes, metric.responseClass)) return
	const cluster = textAt(metric.cluster, scan, names)
	if (cluster !== null) draft.readings.add(cluster, slot, metric.value)
}

/** Of one of those. */
function takeTimes({ scan, names, draft, metric }: MessageScan): void {
	const cluster = textAt(metric.cluster, scan, names)
	const hasRoom = draft.times.size < limits.flushClusters
	if (cluster !== null && metric.times !== null && hasRoom) draft.times.set(cluster, metric.times)
}

function takeUnrouted(name: string, { scan, names, draft, metric }: MessageScan): void {
	const prefix = textAt(metric.listenerPrefix, scan, names)
	const hasRoom = draft.unrouted.size < limits.flushClusters
	if (prefix !== null && hasRoom && egressPrefix.test(prefix)) draft.unrouted.set(`${prefix} ${name}`, metric.value)
}

function textAt({ from, to }: Place, { bytes }: WireScan, names: NameMemory): string | null {
	return from === nowhere ? null : names.textAt(bytes, from, to)
}
