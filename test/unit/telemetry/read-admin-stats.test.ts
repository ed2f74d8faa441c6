import { expect, test } from 'vitest'
import { adminStatsFilter, readAdminStats } from '#telemetry/read-admin-stats.ts'
import { clustersIn } from '../../fixtures/readings.ts'

const listing = `cluster.cds_egress_apps_B_http2_80.external.upstream_rq_completed: 90
cluster.cds_egress_apps_B_http2_80.grpc.14: 3
cluster.cds_egress_apps_B_http2_80.membership_healthy: 2
cluster.cds_egress_apps_B_http2_80.upstream_rq_5xx: 4
cluster.cds_egress_apps_B_http2_80.upstream_rq_completed: 100
cluster.cds_egress_apps_B_http2_80.upstream_rq_completed_not: 7
cluster.xds.upstream_cx_none_healthy: 1
http.egress.http2.80.no_cluster: 5
http.egress.no_cluster: 6
http.ingress.no_cluster: 9
server.uptime: 1200
server.version: 99
cluster.x.upstream_rq_time: P0(nan,1.0) P25(nan,1.025)
`

function told(text: string) {
	const read = readAdminStats(text)
	if (read === null) throw new Error('it is no listing')
	const { readings, ...others } = read
	return { ...others, clusters: clustersIn(readings) }
}

test('takes what is counted of each cluster, once', () => {
	const read = told(listing)
	expect(read.uptimeS).toBe(1200)
	expect([...read.clusters]).toEqual([
		['cds_egress_apps_B_http2_80', { grpcUnavailable: 3, healthyHosts: 2, errors: 4, completed: 100 }],
		['xds', { withoutHost: 1 }],
	])
	expect(Object.fromEntries(read.unrouted)).toEqual({
		'http.egress.http2.80.no_cluster': 5,
		'http.egress.no_cluster': 6,
	})
})

test.for(['', 'no such page', '<html>', 'cluster.a.upstream_rq_completed: 5'])('%j is no listing', (text) => {
	expect(readAdminStats(text)).toBeNull()
})

test('asks for all that it reads, and no more', () => {
	const filter = new RegExp(adminStatsFilter)
	const asked = listing.split('\n').filter((line) => filter.test(line.split(':')[0] ?? ''))
	expect(asked).toHaveLength(8)
	expect(told(asked.join('\n'))).toEqual(told(listing))
})
