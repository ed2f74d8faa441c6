import { type ClusterMetric, metricSlots } from './cluster-metric.ts'
import type { CumulativeValues } from './counters.ts'
import { createReadings } from './readings.ts'

// Envoy's own listing of its statistics (`/stats` of its admin interface): `cluster.web.upstream_rq_completed: 12`, a line
// each. The same counters that Envoy pushes, under names that hold what is a label there.

const clusterMetrics: ReadonlyMap<string, ClusterMetric> = new Map([
	['upstream_rq_completed', 'completed'],
	['upstream_rq_5xx', 'errors'],
	['upstream_rq_retry', 'retries'],
	['upstream_rq_total', 'started'],
	['upstream_rq_active', 'active'],
	['membership_healthy', 'healthyHosts'],
	['membership_total', 'hosts'],
	['upstream_cx_total', 'connects'],
	['upstream_cx_active', 'open'],
	['upstream_cx_connect_fail', 'connectFailures'],
	['upstream_cx_none_healthy', 'withoutHost'],
	['grpc.2', 'grpcUnknown'],
	['grpc.4', 'grpcDeadlineExceeded'],
	['grpc.12', 'grpcUnimplemented'],
	['grpc.13', 'grpcInternal'],
	['grpc.14', 'grpcUnavailable'],
	['grpc.15', 'grpcDataLoss'],
])
const uptime = 'server.uptime'

/** A cluster's own name has no dot, so that what Envoy counts a second time under `external.` is left out. */
const linePattern =
	/^(?:cluster\.([^.]+)\.([a-z0-9_.]+)|(http\.egress(?:\.[^:]*)?\.no_cluster)|(server\.uptime)): (\d+)$/gm

/** What Envoy is asked to list: what is read here, and nothing else. RE2. */
export const adminStatsFilter = `^(cluster\\.[^.]+\\.(${[...clusterMetrics.keys()].map((name) => name.replace('.', '\\.')).join('|')})|http\\.egress(\\..*)?\\.no_cluster|server\\.uptime)$`

/** Null when it is no such listing: every Envoy tells its uptime. */
export function readAdminStats(text: string): CumulativeValues | null {
	const readings = createReadings()
	const unrouted = new Map<string, number>()
	let uptimeS: number | null = null
	for (const [, cluster, name = '', noCluster, isUptime, digits] of text.matchAll(linePattern)) {
		const value = Number(digits)
		const metric = clusterMetrics.get(name)
		if (isUptime === uptime) uptimeS = value
		else if (noCluster !== undefined) unrouted.set(noCluster, value)
		else if (cluster !== undefined && metric !== undefined) readings.add(cluster, metricSlots[metric], value)
	}
	return uptimeS === null ? null : { readings, times: new Map(), unrouted, uptimeS }
}
