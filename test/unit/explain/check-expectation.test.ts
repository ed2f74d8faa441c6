import { expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { checkExpectation } from '#explain/check-expectation.ts'
import { compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import { placeRoutes } from '#explain/place-routes.ts'
import { readRequest } from '#explain/read-request.ts'
import { type Expectation, resourceId } from '#mesh/mesh.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../fixtures/mesh-fixture.ts'

const resources: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'web', backends: ['shop.apps.local', 'direct.apps.local', 'db.apps.local'] },
	{ kind: 'VirtualNode', name: 'shop' },
	{ kind: 'VirtualNode', name: 'shop2' },
	{ kind: 'VirtualNode', name: 'db', listeners: [{ port: 3306, protocol: 'tcp' }] },
	{ kind: 'VirtualService', name: 'shop.apps.local', router: 'shop' },
	{ kind: 'VirtualService', name: 'direct.apps.local', node: 'shop2' },
	{ kind: 'VirtualService', name: 'db.apps.local', node: 'db' },
	{ kind: 'VirtualRouter', name: 'shop' },
	{
		kind: 'Route',
		name: 'beta',
		router: 'shop',
		targets: { shop2: 1 },
		spec: { priority: 1, match: { headers: [{ name: 'x-beta', invert: false, match: { kind: 'present' } }] } },
	},
	{
		kind: 'Route',
		name: 'cart',
		router: 'shop',
		targets: { shop: 1, shop2: 1 },
		spec: { match: { path: { kind: 'prefix', prefix: '/cart' } } },
	},
	{ kind: 'VirtualGateway', name: 'edge' },
	{ kind: 'GatewayRoute', name: 'all', gateway: 'edge', service: 'shop.apps.local' },
	{
		kind: 'GatewayRoute',
		name: 'straight',
		gateway: 'edge',
		service: 'direct.apps.local',
		spec: { match: { path: { kind: 'prefix', prefix: '/straight' } } },
	},
	{
		kind: 'GatewayRoute',
		name: 'kept',
		gateway: 'edge',
		service: 'shop.apps.local',
		spec: { hostRewrite: 'none', match: { hostname: { kind: 'exact', value: 'direct.apps.local' } } },
	},
]
const effective = fixtureEffective(resources)

function check(
	url: string,
	expected: Partial<Expectation['expected']>,
	{ kind, headers = [] }: { kind?: 'virtualGateway'; headers?: { name: string; value: string }[] } = {},
) {
	const from = kind === undefined ? { kind: 'virtualNode' as const, name: 'web' } : { kind, name: 'edge' }
	const expectation: Expectation = {
		id: resourceId.expectation('apps', 'e'),
		mesh: 'apps',
		name: 'e',
		from,
		request: { method: 'GET', url, headers },
		expected: {
			route: null,
			gatewayRoute: null,
			virtualService: null,
			virtualNodes: null,
			noRoute: false,
			...expected,
		},
	}
	const group = fixtureGroup(from.name, { mode: 'intercept' }, from.kind)
	const compiled = compileGroup(effective, group, nothingDiscovered)
	const asked = readRequest('GET', url, headers)
	if (compiled === null || !asked.ok) throw new Error('it is a fair question')
	const explained = explainRequest(compiledConfiguration(compiled), group, asked.value)
	return checkExpectation(expectation, placeRoutes(explained, { resources: effective.resources, origins: {} }))
}

const cart = 'http://shop.apps.local/cart'

test('what is as expected', () => {
	const virtualNodes = ['shop', 'shop2']
	expect(check(cart, { route: 'cart', virtualService: 'shop.apps.local', virtualNodes })).toEqual([])
	expect(check('http://direct.apps.local/', { virtualService: 'direct.apps.local', virtualNodes: ['shop2'] })).toEqual(
		[],
	)
	expect(check('http://db.apps.local:3306/', { virtualNodes: ['db'] })).toEqual([])
	expect(check('http://edge:8080/cart', { route: 'cart', gatewayRoute: 'all' }, { kind: 'virtualGateway' })).toEqual([])
	for (const url of ['http://shop.apps.local/', 'http://other.apps.local/', 'http://shop.apps.local:81/']) {
		expect(check(url, { noRoute: true })).toEqual([])
	}
})

test('another route: which, and why the expected one did not', () => {
	expect(check(cart, { route: 'beta' })).toEqual([
		{
			pointer: '/spec/expect/route',
			message: `GET ${cart} is expected to take the route "beta"; it takes "cart"`,
			hint: 'tried before: "beta" does not match: header x-beta is not there; wanted: there',
		},
	])
})

test('everything that is not as expected at once', () => {
	const wrong = { route: 'cart', virtualService: 'direct.apps.local', virtualNodes: ['shop'] }
	expect(check(cart, wrong, { headers: [{ name: 'x-beta', value: '' }] }).map(({ message }) => message)).toEqual([
		expect.stringContaining('the route "cart"; it takes "beta"'),
		expect.stringContaining('the virtual service "direct.apps.local"; it takes "shop.apps.local"'),
		expect.stringContaining('to go to "shop"; it goes to "shop2"'),
	])
})

test('a target of weight 0 gets nothing', () => {
	expect(check(cart, { virtualNodes: ['shop', 'shop2'] })).toEqual([])
	expect(check(cart, { virtualNodes: ['shop'] })).toHaveLength(1)
})

test('nothing takes it: what does instead, and what was nearest', () => {
	expect(check('http://shop.apps.local/crt', { route: 'cart' })).toEqual([
		{
			pointer: '/spec/expect',
			message: 'GET http://shop.apps.local/crt is expected to be taken; no route takes it, and the proxy answers 404',
			hint: 'the nearest: "beta" does not match: header x-beta is not there; wanted: there',
		},
	])
	expect(check('http://shop.apps.local:81/', { route: 'cart' })[0]?.message).toContain('its connection is closed')
})

test('a service that is no backend', () => {
	const [shortfall] = check('http://edge.apps.local/', { route: 'cart' })
	expect(shortfall?.message).toContain('knows no such host')
})

test('something takes it that nothing was to take', () => {
	expect(check(cart, { noRoute: true })).toEqual([
		{
			pointer: '/spec/expect/noRoute',
			message: `no route is expected to take GET ${cart}; the route "cart" takes it, and it goes to "shop" and "shop2"`,
			hint: expect.stringContaining('tried before'),
		},
	])
	expect(check('http://db.apps.local:3306/', { noRoute: true })[0]?.message).toContain('port 3306 speaks TCP')
})

test('a provider that is a node has no route', () => {
	expect(check('http://direct.apps.local/', { route: 'cart' })[0]?.message).toContain(
		'straight to the virtual node that is its provider',
	)
})

test('a route of TCP is not known by name', () => {
	expect(check('http://db.apps.local:3306/', { route: 'cart' })[0]?.message).toContain('it takes no route')
})

test('a gateway that keeps the host goes by its own route, though the host is another service’s', () => {
	const expected = { gatewayRoute: 'kept', virtualService: 'shop.apps.local', route: 'cart' }
	expect(check('http://direct.apps.local:8080/cart', expected, { kind: 'virtualGateway' })).toEqual([])
	expect(check('http://direct.apps.local/cart', expected, { kind: 'virtualGateway' })).toEqual([])
})
