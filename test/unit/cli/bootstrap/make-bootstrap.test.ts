import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { identityPath } from '#compile/compiled.ts'
import { type Bootstrap, BootstrapSchema } from '#proto/gen/envoy/config/bootstrap/v3/bootstrap_pb.ts'
import { readProxy } from '#xds/identity.ts'
import type { BootstrapOptions } from '../../../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../../../src/cli/bootstrap/make-bootstrap.ts'
import { renderBootstrapYaml } from '../../../../src/cli/bootstrap/render-bootstrap-yaml.ts'
import { bootstrapVariants } from '../../../fixtures/bootstrap-variants.ts'
import { envoyRegistry } from '../../../fixtures/compile-fixture.ts'

/**
 * Strict: an unknown field or extension fails. What a token adds is left out: Sluice speaks in none of its messages, and
 * Envoy itself reads them in compile-accepted.test.ts.
 */
function decode({ token: _, ...options }: BootstrapOptions): Bootstrap {
	return fromJson(BootstrapSchema, makeBootstrap(options) as JsonValue, { registry: envoyRegistry })
}

const variant = (name: string): BootstrapOptions => {
	const options = bootstrapVariants[name]
	if (options === undefined) throw new Error(name)
	return options
}

test.for(Object.entries(bootstrapVariants))("is a bootstrap by Envoy's own definition: %s", ([, options]) => {
	expect(decode(options).node?.id).toBe(identityPath(options.identity))
	expect(load(renderBootstrapYaml(options))).toEqual(makeBootstrap(options))
})

describe('who the proxy is', () => {
	test.for(Object.entries(bootstrapVariants))('the daemon reads what was meant: %s', ([, options]) => {
		const { node } = decode(options)
		const read = node === undefined ? null : readProxy(node, 1)
		const { identity, capture, instance, sdsSocket } = options
		const secrets = sdsSocket === undefined ? 'daemon' : 'socket'
		expect(read).toMatchObject({ ok: true, value: { instance, group: { identity, capture, secrets } } })
	})

	test('what the daemon reads stands in the metadata', () => {
		const { node } = decode(variant('all there is'))
		expect(node).toMatchObject({ cluster: 'serviceA', locality: { region: 'eu-west-1', zone: 'eu-west-1a' } })
		expect(node?.metadata).toEqual({
			sluice: {
				instance: 'ecs:task/0@a-1',
				capture: 'explicit',
				bind: '::',
				egressPort: 16_001,
				app: '[::1]:8080',
			},
		})
	})

	test('a port that is not chosen is not written', () => {
		expect(decode(variant('plain')).node?.metadata).toMatchObject({ sluice: { app: '127.0.0.1' } })
		expect(decode(variant('intercept')).node?.metadata).toEqual({
			sluice: { instance: 'host-1', capture: 'intercept' },
		})
		expect(decode(variant('plain')).node?.locality).toBeUndefined()
	})
})

describe('where the daemon is', () => {
	const cluster = (name: string) => decode(variant(name)).staticResources?.clusters[0]
	const prioritiesOf = (name: string) => cluster(name)?.loadAssignment?.endpoints.map(({ priority }) => priority)
	const typeOf = (name: string) =>
		(makeBootstrap(variant(name)) as { static_resources: { clusters: { type: string }[] } }).static_resources
			.clusters[0]?.type

	test('a second address has the second priority, and is gone to after one failure', () => {
		expect(prioritiesOf('plain')).toEqual([0])
		expect(cluster('plain')?.outlierDetection).toBeUndefined()
		expect(prioritiesOf('all there is')).toEqual([0, 1])
		expect(cluster('all there is')?.outlierDetection).toMatchObject({ consecutive5xx: 1, maxEjectionPercent: 100 })
	})

	test('names are resolved', () => {
		expect(['plain', 'all there is', 'a named control plane', 'two named control planes'].map(typeOf)).toEqual([
			'STATIC',
			'STATIC',
			'LOGICAL_DNS',
			'STRICT_DNS',
		])
	})
})

describe('what is counted', () => {
	const patterns = decode(variant('nobody but the daemon')).statsConfig?.statsMatcher?.statsMatcher
	const regexes =
		patterns?.case === 'inclusionList'
			? patterns.value.patterns.map(({ matchPattern }) =>
					matchPattern.case === 'safeRegex' ? new RegExp(`^(?:${matchPattern.value.regex})$`) : /^\b$/,
				)
			: []
	const isCounted = (name: string) => regexes.some((regex) => regex.test(name))
	const cluster = 'cluster.cds_egress_apps_serviceB_http2_80'

	test.for([
		`${cluster}.upstream_rq_completed`,
		`${cluster}.upstream_rq_5xx`,
		`${cluster}.upstream_rq_time`,
		`${cluster}.upstream_rq_active`,
		`${cluster}.upstream_cx_active`,
		`${cluster}.upstream_rq_retry`,
		`${cluster}.membership_healthy`,
		`${cluster}.grpc.14`,
		'cluster.cds_egress_apps_serviceB_http2_80_rollout_shop_all.upstream_rq_total',
		'http.egress.no_cluster',
		'http.ingress.downstream_rq_5xx',
		'http.ingress.http2.80.downstream_rq_total',
		'http.egress.grpc.8443.no_route',
		`${cluster}.ssl.fail_verify_san`,
		`${cluster}.health_check.failure`,
		`${cluster}.outlier_detection.ejections_enforced_total`,
		`${cluster}.upstream_cx_connect_attempts_exceeded`,
		'tcp.egress.downstream_cx_no_route',
		'tcp.ingress.tcp.5432.downstream_cx_total',
		'http.ingress.http.8080.downstream_rq_4xx',
		'listener.0.0.0.0_15000.ssl.handshake',
		'listener.[__]_15001.no_filter_chain_match',
		'listener.10.0.0.7_443.server_ssl_socket_factory.downstream_context_secrets_not_ready',
		'runtime.deprecated_feature_use',
		'server.dynamic_unknown_fields',
		'control_plane.connected_state',
		'cluster_manager.cds.update_rejected',
	])('%s', (name) => {
		expect(isCounted(name)).toBe(true)
	})

	test.for([
		`${cluster}.external.upstream_rq_5xx`,
		`${cluster}.zone.a.b.upstream_rq_5xx`,
		`${cluster}.upstream_rq_503`,
		'http.admin.downstream_rq_total',
		'http.egress.downstream_cx_total',
		'server.memory_allocated',
		'listener.admin.no_filter_chain_match',
		'listener.0.0.0.0_15000.downstream_cx_total',
		'tcp.egress.downstream_cx_rx_bytes_total',
	])('not %s', (name) => {
		expect(isCounted(name)).toBe(false)
	})
})

describe('who else reads', () => {
	const valueOf = (name: string) => makeBootstrap(variant(name)) as Value
	type Value = {
		stats_config: { stats_matcher?: object; stats_tags?: object[] }
		stats_sinks: { name: string; typed_config: Record<string, unknown> }[]
		static_resources: { clusters: object[]; listeners?: object[] }
	}

	test('nobody: a few statistics, for the daemon', () => {
		for (const name of ['plain', 'nobody but the daemon']) {
			const { stats_config, stats_sinks, static_resources } = valueOf(name)
			expect(stats_config.stats_matcher).toBeDefined()
			expect(stats_sinks.map((sink) => sink.name)).toEqual(['envoy.stat_sinks.metrics_service'])
			expect(static_resources.listeners).toBeUndefined()
			expect(stats_config.stats_tags).toBeUndefined()
		}
	})

	test.for(['Prometheus and DogStatsD', 'StatsD'])('%s: nothing is left out', (name) => {
		expect(valueOf(name).stats_config.stats_matcher).toBeUndefined()
	})

	test('StatsD in both forms', () => {
		expect(valueOf('StatsD').stats_sinks[1]).toEqual({
			name: 'envoy.stat_sinks.statsd',
			typed_config: {
				'@type': 'type.googleapis.com/envoy.config.metrics.v3.StatsdSink',
				address: { socket_address: { address: '::1', port_value: 8125 } },
			},
		})
		expect(valueOf('Prometheus and DogStatsD').stats_sinks[1]).toMatchObject({
			name: 'envoy.stat_sinks.dog_statsd',
			typed_config: { prefix: 'mesh' },
		})
	})

	test("App Mesh's tags, and where Prometheus's listener finds the admin interface", () => {
		const { stats_config, static_resources } = valueOf('Prometheus and DogStatsD')
		expect(stats_config.stats_tags).toEqual([
			{ tag_name: 'appmesh.mesh', fixed_value: 'apps' },
			{ tag_name: 'appmesh.virtual_node', fixed_value: 'serviceA' },
		])
		const endpoint = { address: { socket_address: { address: '::1', port_value: 9901 } } }
		expect(static_resources.clusters[1]).toMatchObject({
			name: 'sluice-admin',
			load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint }] }] },
		})
	})
})

test('secrets from a socket come over the cluster that App Mesh had for them', () => {
	const [, cluster] = decode(variant('secrets from a socket')).staticResources?.clusters ?? []
	expect(cluster?.name).toBe('static_cluster_sds_unix_socket')
	const address = { address: { case: 'pipe', value: { path: '/run/spire/agent.sock' } } }
	expect(cluster?.loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier.value).toMatchObject({ address })
})

test('a head says what the file is, on lines of its own', () => {
	const lines = renderBootstrapYaml(variant('all there is')).split('\n')
	expect(lines.slice(0, 4)).toEqual([
		"# Envoy's bootstrap for mesh/apps/virtualNode/serviceA, instance ecs:task/0@a-1.",
		'# Made by `sluice bootstrap`; everything else comes from Sluice at 10.0.0.1:18000.',
		'# Start it with: envoy -c THIS_FILE',
		'node:',
	])
})
