import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { type Bootstrap, BootstrapSchema } from '#proto/gen/envoy/config/bootstrap/v3/bootstrap_pb.ts'
import { readProxy } from '#xds/identity.ts'
import type { BootstrapOptions } from '../../../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../../../src/cli/bootstrap/make-bootstrap.ts'
import { renderBootstrapYaml } from '../../../../src/cli/bootstrap/render-bootstrap-yaml.ts'
import { bootstrapVariants } from '../../../fixtures/bootstrap-variants.ts'
import { envoyRegistry } from '../../../fixtures/compile-fixture.ts'

/** Strict: an unknown field or extension fails. */
function decode(options: BootstrapOptions): Bootstrap {
	return fromJson(BootstrapSchema, makeBootstrap(options) as JsonValue, { registry: envoyRegistry })
}

const variant = (name: string): BootstrapOptions => {
	const options = bootstrapVariants[name]
	if (options === undefined) throw new Error(name)
	return options
}

test.for(Object.entries(bootstrapVariants))("is a bootstrap by Envoy's own definition: %s", ([, options]) => {
	expect(decode(options).node?.id).toBe('mesh/apps/virtualNode/serviceA')
	expect(load(renderBootstrapYaml(options))).toEqual(makeBootstrap(options))
})

describe('who the proxy is', () => {
	test.for(Object.entries(bootstrapVariants))('the daemon reads what was meant: %s', ([, options]) => {
		const { node } = decode(options)
		const read = node === undefined ? null : readProxy(node, 1)
		const { identity, capture, instance } = options
		expect(read).toMatchObject({ ok: true, value: { instance, group: { identity, capture } } })
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
	const patterns = decode(variant('plain')).statsConfig?.statsMatcher?.statsMatcher
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
	])('not %s', (name) => {
		expect(isCounted(name)).toBe(false)
	})
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
