// A virtual gateway: which gateway route takes a request, what it rewrites, and the way on into the mesh.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc } from './fixtures/grpc-call.ts'
import { gateway, gatewayRoute, mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'
import { upgrade } from './fixtures/upgrade.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 36,
		apps: ['shop', 'shop2', 'admin', 'calls'],
		proxies: ['gateway:edge', 'gateway:edge2', 'shop'],
		portNames: ['second', 'calls'],
		mesh: edge,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())
const nodes = ['shop', 'shop2', 'admin'] as const
beforeEach(() => {
	for (const name of nodes) stage.app(name).forget()
})

const shopService = 'shop.apps.local'
const adminService = 'admin.apps.local'
const callsService = 'calls.apps.local'

function edge(at: FeaturePlaces): string {
	const port = at.port()
	const target = (virtualServiceName: string) => ({ virtualService: { virtualServiceName } })
	/** The same at both gateways, of which one speaks HTTP/2. */
	const http = (name: string, match: object, action: object, priority?: number) => {
		const written = priority === undefined ? {} : { priority }
		return [
			gatewayRoute('edge', name, { ...written, httpRoute: { match, action } }),
			gatewayRoute('edge2', name, { ...written, http2Route: { match, action } }),
		]
	}
	const shop = { target: target(shopService) }
	const admin = { target: target(adminService) }
	return yamlOf([
		mesh(),
		gateway('edge', [
			{ port, protocol: 'http' },
			{ port: at.port('second'), protocol: 'http' },
			{ port: at.port('calls'), protocol: 'grpc' },
		]),
		gateway('edge2', [
			{ port, protocol: 'http2' },
			{ port: at.port('second'), protocol: 'http2' },
		]),
		node('shop', [{ port }]),
		node('shop2', [{ port }]),
		node('admin', [{ port }]),
		node('calls', [{ port, protocol: 'grpc' }]),
		service(shopService, { router: 'shop' }),
		service(adminService, { node: 'admin' }),
		service(callsService, { node: 'calls' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'new', {
			priority: 1,
			httpRoute: { match: { prefix: '/', headers: [{ name: 'x-new' }] }, action: targets({ shop2: 1 }) },
		}),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets({ shop: 1 }) } }),
		...http('all', { prefix: '/', port }, shop),
		...http('default-rewrite', { prefix: '/buy' }, shop),
		...http('own-rewrite', { prefix: '/old/' }, { ...shop, rewrite: { prefix: { value: '/new/' } } }),
		...http('no-rewrite', { prefix: '/kept' }, { ...shop, rewrite: { prefix: { defaultPrefix: 'DISABLED' } } }),
		...http('path-rewrite', { path: { exact: '/exact' } }, { ...shop, rewrite: { path: { exact: '/other' } } }),
		...http('regex', { path: { regex: '/item/[0-9]+' } }, admin),
		...http('by-host', { prefix: '/', hostname: { exact: 'admin.example.com' } }, admin),
		...http('by-suffix', { prefix: '/', hostname: { suffix: '.tenants.example.com' } }, admin),
		...http(
			'host-kept',
			{ prefix: '/', hostname: { exact: 'keep.example.com' } },
			{ ...admin, rewrite: { hostname: { defaultTargetHostname: 'DISABLED' } } },
		),
		...http('by-header', { prefix: '/', headers: [{ name: 'x-admin', match: { exact: '1' } }] }, admin, 1),
		...http(
			'any-host-kept',
			{ prefix: '/', headers: [{ name: 'x-keep', match: { exact: '1' } }] },
			{ ...shop, rewrite: { hostname: { defaultTargetHostname: 'DISABLED' } } },
			4,
		),
		...http('by-query', { prefix: '/', queryParameters: [{ name: 'admin', match: { exact: '1' } }] }, admin, 2),
		...http('by-method', { prefix: '/', method: 'DELETE' }, admin, 3),
		...http('second-only', { prefix: '/', port: at.port('second') }, admin, 900),
		gatewayRoute('edge', 'calls', {
			grpcRoute: {
				match: { serviceName: 'shop.Cart', port: at.port('calls') },
				action: { target: target(callsService) },
			},
		}),
	])
}

type Seen = { readonly app: string | undefined; readonly path: string | undefined; readonly host: string | undefined }

/** What the application saw of a request to a gateway. */
async function seen(url: string, more: Parameters<FeatureStage['dial']>[2] = {}, at = 'edge'): Promise<Seen> {
	const { app } = await stage.dial(`gateway:${at}`, url, more)
	const received = app === undefined ? undefined : stage.app(app).received.at(-1)
	return { app, path: received?.path, host: received?.headers.host }
}

const site = 'http://www.example.com'

describe.for([
	['edge', 'httpRoute'],
	['edge2', 'http2Route'],
] as const)('matches and rewrites of %s by %s', ([name]) => {
	test.for<[url: string, more: Parameters<FeatureStage['dial']>[2], wanted: Seen]>([
		[`${site}/`, {}, { app: 'shop', path: '/', host: shopService }],
		[`${site}/x?y=1`, {}, { app: 'shop', path: '/x?y=1', host: shopService }],
		[`${site}/buy`, {}, { app: 'shop', path: '/', host: shopService }],
		[`${site}/buy/now?y=1`, {}, { app: 'shop', path: '/now?y=1', host: shopService }],
		[`${site}/old/thing`, {}, { app: 'shop', path: '/new/thing', host: shopService }],
		[`${site}/kept/thing`, {}, { app: 'shop', path: '/kept/thing', host: shopService }],
		[`${site}/exact?y=1`, {}, { app: 'shop', path: '/other?y=1', host: shopService }],
		[`${site}/item/12`, {}, { app: 'admin', path: '/item/12', host: adminService }],
		[`${site}/item/x`, {}, { app: 'shop', path: '/item/x', host: shopService }],
		['http://admin.example.com/', {}, { app: 'admin', path: '/', host: adminService }],
		['http://ADMIN.example.com:8080/', {}, { app: 'admin', path: '/', host: adminService }],
		['http://a.tenants.example.com/x', {}, { app: 'admin', path: '/x', host: adminService }],
		['http://tenants.example.com/x', {}, { app: 'shop', path: '/x', host: shopService }],
		['http://keep.example.com/', {}, { app: 'admin', path: '/', host: 'keep.example.com' }],
		[`${site}/buy`, { headers: { 'x-admin': '1' } }, { app: 'admin', path: '/buy', host: adminService }],
		[`${site}/?admin=1`, {}, { app: 'admin', path: '/?admin=1', host: adminService }],
		[`${site}/`, { method: 'DELETE' }, { app: 'admin', path: '/', host: adminService }],
		// The virtual service's own routes hold behind the gateway.
		[`${site}/`, { headers: { 'x-new': '1' } }, { app: 'shop2', path: '/', host: shopService }],
		[`${site}/anything`, { port: 'second' }, { app: 'admin', path: '/anything', host: adminService }],
	])('%s %j', async ([url, more, wanted]) => {
		expect(await seen(url, more, name)).toEqual(wanted)
	})
})

describe('the host of the outside', () => {
	test('the header that carries the service on the inner way does not reach the application', async () => {
		await stage.dial('gateway:edge', 'http://keep.example.com/')
		expect(stage.app('admin').received.at(-1)?.headers['x-app-mesh-virtual-service']).toBeUndefined()
	})

	test.for([
		['http://elsewhere.example.net/', { app: 'shop', path: '/', host: 'elsewhere.example.net' }],
		[`http://${shopService}/`, { app: 'shop', path: '/', host: shopService }],
		// The route chose the shop, whatever the client calls itself a client of.
		[`http://${adminService}/`, { app: undefined, path: undefined, host: undefined }],
	] as const)('a kept host chooses no other service: %s', async ([url, wanted]) => {
		expect(await seen(url, { headers: { 'x-keep': '1' } })).toEqual(wanted)
	})

	test('a client cannot choose the service by the inner header', async () => {
		const headers = { 'x-app-mesh-virtual-service': adminService }
		expect(await seen(`${site}/`, { headers })).toEqual({ app: 'shop', path: '/', host: shopService })
		expect(await seen(`${site}/`, { headers: { ...headers, 'x-keep': '1' } })).toMatchObject({ app: 'shop' })
		expect(stage.app('shop').received.at(-1)?.headers['x-app-mesh-virtual-service']).toBeUndefined()
	})

	test('gRPC goes by service name', async () => {
		stage.app('calls').script((exchange) => {
			const headers = { 'x-app': 'calls', 'content-type': 'application/grpc' }
			exchange.answer(200, headers, '\0\0\0\0\0', { 'grpc-status': '0' })
		})
		const via = { address: stage.proxyAddress('gateway:edge'), port: stage.port('calls') }
		const call = (path: string) => callGrpc({ via, host: 'www.example.com', path })
		expect(await call('/shop.Cart/Add')).toEqual({ httpStatus: 200, grpcStatus: 0, app: 'calls' })
		expect((await call('/shop.Other/Add')).app).toBeUndefined()
	})
})

test('a WebSocket goes through gateway and proxy, both ways, and outlives the request’s limit', async () => {
	const socket = await upgrade({ address: stage.proxyAddress('gateway:edge'), port: stage.port() }, 'www.example.com')
	expect(await socket.say('hello')).toBe('hello')
	expect(await socket.say('again')).toBe('again')
	socket.end()
})
