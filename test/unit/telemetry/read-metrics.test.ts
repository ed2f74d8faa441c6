import { create, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { StreamMetricsMessageSchema } from '#proto/gen/envoy/service/metrics/v3/metrics_service_pb.ts'
import { MetricFamilySchema, MetricSchema } from '#proto/gen/io/prometheus/client/metrics_pb.ts'
import { createMetricsReader } from '#telemetry/read-metrics.ts'
import { count, seed } from '../../depth.ts'
import { leastCpuMs } from '../../fixtures/cost.ts'
import { clusterMetrics, metricsMessage, requestTimes, type Sent, uptime } from '../../fixtures/metrics-message.ts'
import { clustersIn } from '../../fixtures/readings.ts'

const readMetrics = createMetricsReader({ wantsTimes: () => true })

function read(...metrics: readonly Sent[]) {
	const message = readMetrics(metricsMessage({ atMs: 1_795_408_159_135, metrics }))
	if (!message.ok) throw new Error(message.error)
	const { readings, ...others } = message.value
	return { ...others, clusters: clustersIn(readings) }
}

describe('createMetricsReader', () => {
	test('takes what is counted of each cluster', () => {
		const values = {
			upstream_rq_completed: 10,
			upstream_rq_5xx: 3,
			upstream_rq_2xx: 7,
			upstream_rq_retry: 1,
			upstream_rq_total: 11,
		}
		const gauges = { upstream_rq_active: 1, membership_healthy: 2, membership_total: 3 }
		const message = read(
			...clusterMetrics('a', { ...values, ...gauges }),
			...clusterMetrics('b', { upstream_rq_4xx: 9, upstream_rq_timeout: 1, 'grpc.0': 5, 'grpc.5': 2 }),
		)
		const counted = { completed: 10, errors: 3, retries: 1, started: 11, active: 1, healthyHosts: 2, hosts: 3 }
		expect(message.clusters).toEqual(new Map([['a', counted]]))
		expect(message.flushedAtMs).toBe(1_795_408_159_135)
		expect(message.node).toBeNull()
	})

	test('takes connections, and the gRPC statuses that are the fault of the server', () => {
		const grpc = { 'grpc.2': 1, 'grpc.4': 2, 'grpc.12': 3, 'grpc.13': 4, 'grpc.14': 5, 'grpc.15': 6 }
		const tcp = { upstream_cx_total: 7, upstream_cx_connect_fail: 8, upstream_cx_none_healthy: 9 }
		expect(read(...clusterMetrics('a', { ...grpc, ...tcp })).clusters.get('a')).toEqual({
			grpcUnknown: 1,
			grpcDeadlineExceeded: 2,
			grpcUnimplemented: 3,
			grpcInternal: 4,
			grpcUnavailable: 5,
			grpcDataLoss: 6,
			connects: 7,
			connectFailures: 8,
			withoutHost: 9,
		})
	})

	test.for<[string, string, string, number]>([
		['no_route', 'http.no_route', 'egress', 1],
		['no_cluster', 'http.no_cluster', 'egress', 1],
		['a prefix with more in it', 'http.http2.15001.no_cluster', 'egress', 1],
		['the same of an ingress', 'http.no_cluster', 'ingress', 0],
		['a prefix that only begins alike', 'http.no_cluster', 'egressing', 0],
		['another counter', 'http.downstream_rq_total', 'egress', 0],
	])('requests without a way: %s', ([, name, prefix, size]) => {
		expect(read({ name, labels: { 'envoy.http_conn_manager_prefix': prefix }, value: 4 }).unrouted.size).toBe(size)
	})

	test('takes how long requests took', () => {
		const times = { samples: 12, edgesMs: [5, 50], atMost: [7, 11] }
		const message = read(requestTimes('a', times), requestTimes('b', { samples: 0, edgesMs: [5], atMost: [0] }))
		expect(message.times.get('a')).toEqual(times)
		expect(message.times.get('b')).toMatchObject({ samples: 0 })
		const endless = { samples: 1, edgesMs: [5, Number.POSITIVE_INFINITY], atMost: [0, 1] }
		expect(read(requestTimes('a', endless)).times.get('a')).toEqual({ samples: 1, edgesMs: [5], atMost: [0] })
	})

	test('but not while nobody asks', () => {
		let wantsTimes = false
		const readWanted = createMetricsReader({ wantsTimes: () => wantsTimes })
		const metrics = [requestTimes('a', { samples: 1, edgesMs: [5], atMost: [1] })]
		const sizes = [false, true, false].map((wanted) => {
			wantsTimes = wanted
			const message = readWanted(metricsMessage({ atMs: 1, metrics }))
			return message.ok && message.value.times.size
		})
		expect(sizes).toEqual([0, 1, 0])
	})

	test('more buckets than anybody writes are no histogram', () => {
		const edgesMs = Array.from({ length: limits.histogramBuckets + 1 }, (_, index) => index + 1)
		expect(read(requestTimes('a', { samples: 1, edgesMs, atMost: edgesMs })).times.size).toBe(0)
	})

	test('knows when the proxy started, and a flush by its time, though no metric of ours is first', () => {
		const message = read({ name: 'listener_manager.listener_added', value: 1 }, uptime(42))
		expect([message.uptimeS, message.flushedAtMs]).toEqual([42, 1_795_408_159_135])
	})

	test.for([Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300])('%s counts nothing', (value) => {
		const [only] = read(...clusterMetrics('a', { upstream_rq_completed: value })).clusters.values()
		expect(only?.completed).toBe(0)
	})

	test('what nobody called so is left out', () => {
		const long = 'x'.repeat(limits.clusterNameChars + 1)
		const prefix = { 'envoy.http_conn_manager_prefix': `egress.${long}` }
		const message = read(
			...clusterMetrics(long, { upstream_rq_completed: 1 }),
			requestTimes(long, { samples: 1, edgesMs: [5], atMost: [1] }),
			{ name: 'http.no_route', labels: prefix, value: 1 },
			{ name: `http.${long}.no_route`, labels: { 'envoy.http_conn_manager_prefix': 'egress' }, value: 1 },
		)
		expect([message.clusters.size, message.times.size, message.unrouted.size]).toEqual([0, 0, 0])
	})

	test('a long name is looked at once, however many metrics have it', () => {
		const metrics = Array.from({ length: 100_000 }, () => create(MetricSchema, {}))
		const name = `http.${'x'.repeat(1_000_000)}`
		const envoyMetrics = [create(MetricFamilySchema, { name, metric: metrics })]
		const message = toBinary(StreamMetricsMessageSchema, create(StreamMetricsMessageSchema, { envoyMetrics }))
		expect(leastCpuMs(() => readMetrics(message))).toBeLessThan(500)
	})

	test('a message of more fields than Envoy could fill it with is refused', () => {
		const fields = Buffer.alloc(limits.xdsMessageBytes, Uint8Array.of(0x1a, 0))
		expect(readMetrics(fields)).toMatchObject({ ok: false })
	})

	test('whatever the bytes, there is a message or a reason', () => {
		const full = metricsMessage({ atMs: 1, metrics: clusterMetrics('a', { upstream_rq_completed: 1 }), nodeId: 'n' })
		fc.assert(
			fc.property(fc.nat(full.length - 1), fc.integer({ min: 0, max: 255 }), (index, value) => {
				const broken = Uint8Array.from(full)
				broken[index] = value
				expect(typeof readMetrics(broken).ok).toBe('boolean')
			}),
			{ numRuns: count(500, 50_000), seed: seed() },
		)
		expect(readMetrics(Uint8Array.of(0x12, 0xff))).toMatchObject({ ok: false })
	})
})
