import { describe, expect, test } from 'vitest'
import { type ExpectedHolding, findDeviations, type ProxyDump } from '#lab/demo/proxy-holding.ts'

const thresholds = [
	{ max_connections: 2147483647, max_pending_requests: 2147483647, max_requests: 2147483647, max_retries: 2147483647 },
]
const cluster = (name: string) => ({ cluster: { name, circuit_breakers: { thresholds } } })
const listener = (name: string) => ({ name, active_state: { listener: { name } } })

function ingress(node: string) {
	const routes = [{ match: { prefix: '/' }, route: { cluster: `cds_ingress_apps_${node}_http2_80`, timeout: '15s' } }]
	return { route_config: { name: 'rds_ingress_http_80', virtual_hosts: [{ name: node, domains: ['*'], routes }] } }
}

function egress(weights: Record<string, number>, action: object = {}) {
	const clusters = Object.entries(weights).map(([node, weight]) => ({
		name: `cds_egress_apps_${node}_http2_80`,
		weight,
	}))
	const retryPolicy = {
		retry_on: 'unavailable,connect-failure,refused-stream,retriable-status-codes,reset',
		num_retries: 2,
		retriable_status_codes: [503],
	}
	const route = { weighted_clusters: { clusters }, timeout: '15s', retry_policy: retryPolicy, ...action }
	const name = 'serviceb.apps.local'
	const virtualHosts = [{ name, domains: [name, `${name}:80`], routes: [{ match: { prefix: '/' }, route }] }]
	return { route_config: { name: 'rds_egress_http_15001', virtual_hosts: virtualHosts } }
}

/** serviceA's Envoy at 75/25. */
function callerDump(change: Partial<ProxyDump> = {}): ProxyDump {
	return {
		dynamic_listeners: [listener('lds_ingress_0.0.0.0_80'), listener('lds_egress_0.0.0.0_15001')],
		dynamic_route_configs: [egress({ serviceB: 75, serviceBv2: 25 }), ingress('serviceA')],
		dynamic_active_clusters: [
			cluster('cds_egress_apps_serviceB_http2_80'),
			cluster('cds_egress_apps_serviceBv2_http2_80'),
			cluster('cds_ingress_apps_serviceA_http2_80'),
		],
		...change,
	}
}

const caller: ExpectedHolding = {
	node: 'serviceA',
	mesh: 'apps',
	port: 80,
	egress: {
		service: 'serviceb.apps.local',
		mesh: 'apps',
		port: 80,
		sharesPpm: { serviceB: 750_000, serviceBv2: 250_000 },
	},
}

describe('a caller', () => {
	test('that holds what App Mesh gave has no deviation, whatever scale its weights have', () => {
		expect(findDeviations(callerDump(), caller)).toEqual([])
		const routes = [egress({ serviceB: 750_000, serviceBv2: 250_000 }), ingress('serviceA')]
		expect(findDeviations(callerDump({ dynamic_route_configs: routes }), caller)).toEqual([])
	})

	test.for<[string, Partial<ProxyDump>, string]>([
		[
			'other shares',
			{ dynamic_route_configs: [egress({ serviceB: 90, serviceBv2: 10 }), ingress('serviceA')] },
			'"cds_egress_apps_serviceB_http2_80":900000',
		],
		[
			'another timeout',
			{ dynamic_route_configs: [egress({ serviceB: 75, serviceBv2: 25 }, { timeout: '5s' }), ingress('serviceA')] },
			'timeout: "5s" instead of "15s"',
		],
		['no routes', { dynamic_route_configs: [ingress('serviceA')] }, 'no virtual host serviceb.apps.local'],
		[
			'a listener that was refused',
			{ dynamic_listeners: [...callerDump().dynamic_listeners, { name: 'lds_x', error_state: {} }] },
			'listener lds_x is refused',
		],
		[
			'a cluster too many',
			{ dynamic_active_clusters: [...callerDump().dynamic_active_clusters, cluster('cds_x')] },
			'cds_x',
		],
		[
			'nothing at all',
			{ dynamic_listeners: [], dynamic_route_configs: [], dynamic_active_clusters: [] },
			'clusters: []',
		],
	])('with %s deviates', ([, change, text]) => {
		expect(findDeviations(callerDump(change), caller).join('\n')).toContain(text)
	})

	test('with thresholds or retries of its own deviates', () => {
		const [first, ...others] = callerDump().dynamic_active_clusters
		const bounded = { cluster: { ...(first as { cluster: object }).cluster, circuit_breakers: {} } }
		expect(findDeviations(callerDump({ dynamic_active_clusters: [bounded, ...others] }), caller)).toHaveLength(4)
		const routes = [egress({ serviceB: 75, serviceBv2: 25 }, { retry_policy: {} }), ingress('serviceA')]
		expect(findDeviations(callerDump({ dynamic_route_configs: routes }), caller)).toHaveLength(3)
	})
})

describe('one that calls nobody', () => {
	const called: ExpectedHolding = { node: 'serviceB', mesh: 'apps', port: 80, egress: null }
	const dump: ProxyDump = {
		dynamic_listeners: [listener('lds_ingress_0.0.0.0_80')],
		dynamic_route_configs: [ingress('serviceB')],
		dynamic_active_clusters: [cluster('cds_ingress_apps_serviceB_http2_80')],
	}

	test('holds its own ingress', () => {
		expect(findDeviations(dump, called)).toEqual([])
	})

	test('holds nothing that leads to others', () => {
		const more = { dynamic_route_configs: [ingress('serviceB'), egress({ serviceA: 100 })] }
		expect(findDeviations({ ...dump, ...more }, called)).toEqual(['it calls nobody, but holds rds_egress_http_15001'])
	})
})
