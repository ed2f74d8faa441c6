import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type Random, seededRandom } from '#base/random.ts'
import { latencyEdgesMs } from '#base/request-times.ts'
import { clusterMetrics, metricsMessage, requestTimes, type Sent } from '../../test/fixtures/metrics-message.ts'
import type { Http2Call, Http2Connection } from '../xds/http2-call.ts'

// The flushes of one proxy, as an Envoy 1.40 with the bootstrap of `sluice bootstrap` sends them when it has two clusters
// beside the control plane's: the same 53 families, in an order that is each Envoy's own and stays. Made once; what
// moves is written into the bytes.

export type PlayedFlush = {
	/** The message after so many flushes in which its counters moved. Valid until it is asked again. */
	at(moves: number, wallMs: number): Uint8Array
}

/** By their names. */
export type Clusters = Readonly<Record<'stable' | 'canary', string>>

/** Those by which callers reach two virtual nodes of a mesh, at their port of HTTP/2. */
export function clustersOf(mesh: string, { stable, canary }: Clusters, port: number): Clusters {
	const clusterOf = (node: string) => `cds_egress_${mesh}_${node}_http2_${port}`
	return { stable: clusterOf(stable), canary: clusterOf(canary) }
}

/** Requests that a cluster has in each flush in which counters move. */
export const requestsPerFlush = { stable: 30, canary: 10 } as const

type Moving = { readonly at: number; readonly from: number; readonly by: number }

export function playFlushes(proxy: number, { stable, canary }: Clusters): PlayedFlush {
	const moving: { readonly mark: number; readonly from: number; readonly by: number }[] = []
	/** A value that is found in the bytes again. */
	const move = (from: number, by: number) => {
		const mark = 1e200 + moving.length * 1e190
		moving.push({ mark, from, by })
		return mark
	}
	const metrics = [
		...clusterFamilies('xds', () => 1),
		...clusterFamilies(stable, () => move(1_000 + proxy, requestsPerFlush.stable)),
		...clusterFamilies(canary, () => move(proxy, requestsPerFlush.canary)),
		timesOf(stable, requestsPerFlush.stable),
		timesOf(canary, requestsPerFlush.canary),
		...connectionManager(() => move(1_000 + proxy, requestsPerFlush.stable + requestsPerFlush.canary)),
		...ofProxy,
	]
	const bytes = metricsMessage({ atMs: markMs, metrics: shuffled(metrics, seededRandom(proxy)) })
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	const values = moving.map(({ mark, ...rest }): Moving => ({ at: view.indexOf(doubleBytes(mark)), ...rest }))
	const times = placesOf(view, timeBytes(markMs))
	return {
		at(moves, wallMs) {
			for (const { at, from, by } of values) view.writeDoubleLE(from + by * moves, at)
			const time = timeBytes(wallMs)
			for (const at of times) view.set(time, at)
			return bytes
		},
	}
}

/** The stream on which a proxy pushes them: it has said who it is. */
export function openMetrics(connection: Http2Connection, node: Uint8Array): Http2Call {
	const call = connection.call('/envoy.service.metrics.v3.MetricsService/StreamMetrics', () => {})
	const identifier = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(node).finish()
	call.send(new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(identifier).finish())
	return call
}

/** Of the length that every time of these decades has. */
const markMs = 1_234_567_890_123

function clusterFamilies(cluster: string, count: () => number): Sent[] {
	const [counters, gauges] = [
		{ upstream_rq_completed: count(), upstream_rq_total: count(), upstream_rq_2xx: count(), upstream_cx_total: 1 },
		{ upstream_rq_active: 1, upstream_cx_active: 1, membership_total: 1, membership_healthy: 1 },
	]
	return [...clusterMetrics(cluster, counters), ...clusterMetrics(cluster, gauges).map(toGauge)]
}

function toGauge(metric: Sent): Sent {
	return { ...metric, kind: 'gauge' }
}

function timesOf(cluster: string, samples: number): Sent {
	return requestTimes(cluster, { samples, edgesMs: latencyEdgesMs, atMost: latencyEdgesMs.map(() => samples) })
}

function connectionManager(count: () => number): Sent[] {
	const labels = { 'envoy.http_conn_manager_prefix': 'egress' }
	return [
		{ name: 'http.downstream_rq_total', labels, value: count() },
		{ name: 'http.downstream_rq_xx', labels: { 'envoy.response_code_class': '2', ...labels }, value: count() },
	]
}

const durationEdgesMs = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6]

const ofProxy: readonly Sent[] = [
	...['cds.update_attempt', 'cds.update_success', 'cds.config_reload', 'cluster_added'].map(named('cluster_manager')),
	...['listener_added', 'listener_create_success', 'lds.update_attempt', 'lds.update_success'].map(
		named('listener_manager'),
	),
	...['dynamic_unknown_fields'].map(named('server')),
	...[
		...['uptime', 'live', 'state'].map(named('server')),
		...['connected_state'].map(named('control_plane')),
		...['warming_clusters', 'active_clusters', 'cds.version', 'cds.update_time', 'cds.config_reload_time_ms'].map(
			named('cluster_manager'),
		),
		...['workers_started', 'lds.version', 'lds.update_time', 'total_listeners_active', 'total_listeners_warming'].map(
			named('listener_manager'),
		),
	].map(toGauge),
	...['cluster_manager.cds.update_duration', 'listener_manager.lds.update_duration'].map((name) => {
		return { name, value: 0, times: { samples: 0, edgesMs: durationEdgesMs, atMost: durationEdgesMs.map(() => 0) } }
	}),
]

function named(room: string): (name: string) => Sent {
	return (name) => ({ name: `${room}.${name}`, value: 1 })
}

function shuffled(metrics: readonly Sent[], random: Random): Sent[] {
	return metrics
		.map((metric) => ({ metric, place: random() }))
		.sort((left, right) => left.place - right.place)
		.map(({ metric }) => metric)
}

function doubleBytes(value: number): Buffer {
	const bytes = Buffer.alloc(8)
	bytes.writeDoubleLE(value)
	return bytes
}

/** Field 6 of a metric. */
function timeBytes(wallMs: number): Uint8Array {
	return new BinaryWriter().tag(6, WireType.Varint).int64(BigInt(wallMs)).finish()
}

function placesOf(bytes: Buffer, wanted: Uint8Array): number[] {
	const places: number[] = []
	for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) places.push(at)
	return places
}
