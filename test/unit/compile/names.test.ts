import { describe, expect, test } from 'vitest'
import { type Capture, identityPath, typeUrls } from '#compile/compiled.ts'
import { callersOf, carriersOf, egressClusterName, ingressClusterName } from '#compile/names.ts'
import { resourceId } from '#mesh/mesh.ts'
import { explicitCapture, fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective, fixtureTarget } from '../../fixtures/mesh-fixture.ts'

const resources: readonly BriefResource[] = [
	{ kind: 'VirtualNode', name: 'zulu', backends: ['shop.apps.local', 'mirror.apps.local'] },
	{ kind: 'VirtualNode', name: 'alpha', backends: ['mirror.apps.local'] },
	{ kind: 'VirtualNode', name: 'direct', backends: ['direct.apps.local'] },
	{ kind: 'VirtualNode', name: 'shop_v-1', listeners: [{ port: 80, protocol: 'http' }, { port: 8443 }] },
	{ kind: 'VirtualService', name: 'shop.apps.local', router: 'shop' },
	{ kind: 'VirtualService', name: 'mirror.apps.local', router: 'shop' },
	{ kind: 'VirtualService', name: 'direct.apps.local', node: 'shop_v-1' },
	{
		kind: 'VirtualRouter',
		name: 'shop',
		listeners: [
			{ port: 80, protocol: 'http' },
			{ port: 8080, protocol: 'http' },
		],
	},
	{ kind: 'Route', name: 'all', router: 'shop', targets: { 'shop_v-1': 1 } },
	{ kind: 'Route', name: 'one-port', router: 'shop', targets: { 'shop_v-1': 1 }, spec: { match: { port: 8080 } } },
	{ kind: 'VirtualGateway', name: 'edge' },
	{ kind: 'GatewayRoute', name: 'shop', gateway: 'edge', service: 'shop.apps.local' },
	{ kind: 'GatewayRoute', name: 'again', gateway: 'edge', service: 'shop.apps.local' },
	{ kind: 'GatewayRoute', name: 'lost', gateway: 'gone', service: 'shop.apps.local' },
	{
		kind: 'VirtualNode',
		name: 'worker',
		backends: [{ service: 'db.apps.local', egressPort: 15_432 }, { service: 'second-db.apps.local' }],
	},
	{ kind: 'VirtualNode', name: 'db', listeners: [{ port: 5432, protocol: 'tcp' }] },
	{ kind: 'VirtualService', name: 'db.apps.local', router: 'db' },
	{ kind: 'VirtualService', name: 'second-db.apps.local', router: 'second-db' },
	{ kind: 'VirtualRouter', name: 'db', listeners: [{ port: 5432, protocol: 'tcp' }] },
	{ kind: 'VirtualRouter', name: 'second-db', listeners: [{ port: 5432, protocol: 'tcp' }] },
	...['db', 'second-db'].map(
		(router): BriefResource => ({
			kind: 'Route',
			name: 'all',
			router,
			targets: { 'db:5432': 1 },
			spec: { match: { kind: 'tcp', port: null } },
		}),
	),
	{
		kind: 'Route',
		name: 'later',
		router: 'db',
		targets: { 'db:5432': 1 },
		spec: { match: { kind: 'tcp', port: null } },
	},
	{ kind: 'Route', name: 'no-port', router: 'shop', targets: { 'shop_v-1': 1 }, spec: { match: { port: 9 } } },
]
const effective = fixtureEffective(resources)
const routeOf = (name: string) => resourceId.route('apps', 'shop', name)
const callers = (name: string) => callersOf(effective, [routeOf(name)]).map(identityPath)

test('a cluster is named after its target: mesh, node, protocol, port', () => {
	expect(egressClusterName(fixtureTarget('shop_v-1'), effective.resources)).toBe('cds_egress_apps_shop_v-1_http_80')
	expect(egressClusterName(fixtureTarget('shop_v-1:8443'), effective.resources)).toBe(
		'cds_egress_apps_shop_v-1_http2_8443',
	)
	expect(egressClusterName(fixtureTarget('gone:81'), effective.resources)).toBe('cds_egress_apps_gone_http_81')
	const node = resourceId.virtualNode('apps', 'shop_v-1')
	expect(ingressClusterName(node, { protocol: 'http2', port: 80 })).toBe('cds_ingress_apps_shop_v-1_http2_80')
})

describe('who calls a route', () => {
	test('all that declare a virtual service of its router, each once and sorted', () => {
		expect(callers('all')).toEqual([
			'mesh/apps/virtualGateway/edge',
			'mesh/apps/virtualNode/alpha',
			'mesh/apps/virtualNode/zulu',
		])
	})

	test('of TCP: those whose port it is', () => {
		const callersOfTcp = (router: string, name: string) =>
			callersOf(effective, [resourceId.route('apps', router, name)]).map(identityPath)
		expect(callersOfTcp('db', 'all')).toEqual(['mesh/apps/virtualNode/worker'])
		expect(callersOfTcp('db', 'later')).toEqual([])
		expect(callersOfTcp('second-db', 'all')).toEqual([])
	})

	test('of TCP: those who have the port in one capture mode alone', () => {
		const caller: BriefResource = {
			kind: 'VirtualNode',
			name: 'web',
			backends: ['page.apps.local', { service: 'db.apps.local', egressPort: 15_432 }],
		}
		const page: readonly BriefResource[] = [
			{ kind: 'VirtualNode', name: 'page', listeners: [{ port: 5432, protocol: 'http' }] },
			{ kind: 'VirtualService', name: 'page.apps.local', node: 'page' },
		]
		const withPage = fixtureEffective([...resources, caller, ...page])
		const all = resourceId.route('apps', 'db', 'all')
		const carriers = (capture?: Capture) => carriersOf(withPage, fixtureGroup('web', capture), [all])
		expect([carriers({ mode: 'intercept' }).length, carriers(explicitCapture).length]).toEqual([0, 1])
		expect(callersOf(withPage, [all]).map(identityPath)).toContain('mesh/apps/virtualNode/web')
	})

	test('nobody, where its router does not listen on its port, or there is no such route', () => {
		expect(callers('no-port')).toEqual([])
		expect(callers('never-written')).toEqual([])
	})
})

describe('where a route is served', () => {
	const served = (node: string, name: string, mode: 'explicit' | 'intercept') => {
		const group = mode === 'explicit' ? fixtureGroup(node) : fixtureGroup(node, { mode })
		return carriersOf(effective, group, [routeOf(name)])
			.filter(({ typeUrl }) => typeUrl === typeUrls.route)
			.map((carrier) => carrier.name)
	}

	test('explicit: the one route configuration', () => {
		expect(served('zulu', 'all', 'explicit')).toEqual(['rds_egress_http_15001'])
		expect(served('zulu', 'no-port', 'explicit')).toEqual([])
	})

	test('intercept: one for each port it matches', () => {
		expect(served('zulu', 'all', 'intercept')).toEqual(['rds_egress_http_80', 'rds_egress_http_8080'])
		expect(served('zulu', 'one-port', 'intercept')).toEqual(['rds_egress_http_8080'])
	})

	test('the same proxy is asked for each route by itself', () => {
		const group = fixtureGroup('zulu', { mode: 'intercept' })
		const ways = (name: string) => carriersOf(effective, group, [routeOf(name)]).length
		expect(['all', 'one-port', 'all'].map(ways)).toEqual([2, 1, 2])
	})

	test('nowhere, for those who do not call it', () => {
		expect(served('direct', 'all', 'explicit')).toEqual([])
		expect(served('nobody', 'all', 'explicit')).toEqual([])
	})
})

describe('what carries a route', () => {
	const carriers = (group: ReturnType<typeof fixtureGroup>, router: string) =>
		carriersOf(effective, group, [resourceId.route('apps', router, 'all')])
	const intercept: Capture = { mode: 'intercept' }

	test('of HTTP: route configurations', () => {
		expect(carriers(fixtureGroup('zulu', intercept), 'shop')).toEqual([
			{ typeUrl: typeUrls.route, name: 'rds_egress_http_80' },
			{ typeUrl: typeUrls.route, name: 'rds_egress_http_8080' },
		])
	})

	test.for([explicitCapture, intercept])('at a gateway: the one of its way out, $mode', (capture) => {
		expect(carriers(fixtureGroup('edge', capture, 'virtualGateway'), 'shop')).toEqual([
			{ typeUrl: typeUrls.route, name: 'rds_egress_http_15001' },
		])
	})

	test('of TCP: the listener', () => {
		expect(carriers(fixtureGroup('worker', intercept), 'db')).toEqual([
			{ typeUrl: typeUrls.listener, name: 'lds_egress_0.0.0.0_15001' },
		])
		expect(carriers(fixtureGroup('worker'), 'db')).toEqual([
			{ typeUrl: typeUrls.listener, name: 'lds_egress_0.0.0.0_15432' },
		])
	})

	test('nothing, where it is not called, or another has its port', () => {
		expect(carriers(fixtureGroup('zulu'), 'db')).toEqual([])
		expect(carriers(fixtureGroup('nobody'), 'shop')).toEqual([])
		expect(carriers(fixtureGroup('worker', intercept), 'second-db')).toEqual([])
		expect(carriers(fixtureGroup('worker'), 'second-db')).toEqual([])
	})
})
