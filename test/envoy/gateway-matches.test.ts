// What a gateway's routes match and where they lead, for each of the three protocols: headers, metadata, query
// parameters, host names, ports of the gateway and of the service behind it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerGrpc } from './fixtures/answer-grpc.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc, type GrpcAnswer } from './fixtures/grpc-call.ts'
import { headerMatches } from './fixtures/header-matches.ts'
import { type Document, gateway, gatewayRoute, mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
const apps = ['rest', 'special'] as const
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 64,
		apps,
		proxies: ['gateway:http', 'gateway:http2', 'gateway:calls'],
		portNames: ['calls', 'second'],
		mesh: edges,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())
beforeEach(() => {
	for (const name of apps) {
		stage.app(name).forget()
		stage.app(name, 'calls').forget()
		stage.app(name, 'calls').script((exchange) => answerGrpc(exchange, name))
	}
})

const host = (name: string) => `${name}.apps.local`
const kinds = Object.entries(headerMatches)

function edges(at: FeaturePlaces): string {
	const action = (name: string, port: string, rewrite?: object) => ({
		target: { virtualService: { virtualServiceName: host(name) }, port: at.port(port) },
		...(rewrite === undefined ? {} : { rewrite }),
	})
	const keptHost = { hostname: { defaultTargetHostname: 'DISABLED' } }
	const http = (kind: 'http' | 'http2'): Document[] => {
		const route = (name: string, priority: number, match: object, target: string) =>
			gatewayRoute(kind, name, { priority, [`${kind}Route`]: { match, action: action(target, 'main') } })
		return [
			gateway(kind, [
				{ port: at.port(), protocol: kind },
				{ port: at.port('second'), protocol: kind },
			]),
			...kinds.map(([name, { written }]) => route(name, 1, { prefix: `/${name}`, headers: [written] }, 'special')),
			route('two', 1, { prefix: '/two', headers: [{ name: 'x-a' }, { name: 'x-b' }] }, 'special'),
			route('query', 1, { prefix: '/query', queryParameters: [{ name: 'v' }] }, 'special'),
			route('second', 1, { prefix: '/port', port: at.port('second') }, 'special'),
			route('rest', 2, { prefix: '/' }, 'rest'),
		]
	}
	const call = (name: string, priority: number, match: object, to: object) =>
		gatewayRoute('calls', name, { priority, grpcRoute: { match, action: to } })
	return yamlOf([
		mesh(),
		// Services of two ports: a gateway route says which.
		...apps.flatMap((name) => [
			node(name, [{ port: at.port() }, { port: at.port('calls'), protocol: 'grpc' }]),
			service(host(name), { node: name }),
		]),
		...http('http'),
		...http('http2'),
		gateway('calls', [
			{ port: at.port(), protocol: 'grpc' },
			{ port: at.port('second'), protocol: 'grpc' },
		]),
		...kinds.flatMap(([name, { written }]) => [
			call(name, 1, { serviceName: `kinds.${name}`, metadata: [written] }, action('special', 'calls')),
			call(`${name}-rest`, 2, { serviceName: `kinds.${name}` }, action('rest', 'calls')),
		]),
		call(
			'exact-host',
			1,
			{ serviceName: 'shop.Cart', hostname: { exact: 'one.example.com' } },
			action('special', 'calls'),
		),
		call(
			'suffix-host',
			1,
			{ serviceName: 'shop.Cart', hostname: { suffix: '.tenants.example.com' } },
			action('special', 'calls', keptHost),
		),
		call('second', 1, { serviceName: 'shop.Cart', port: at.port('second') }, action('special', 'calls')),
		call('rest', 2, { serviceName: 'shop.Cart' }, action('rest', 'calls')),
	])
}

describe.for(['http', 'http2'] as const)('%s', (kind) => {
	const taker = async (path: string, more: Parameters<FeatureStage['dial']>[2] = {}) => {
		return (await stage.dial(`gateway:${kind}`, `http://www.example.com${path}`, more)).app
	}

	test.for(kinds)('a header: %s', async ([name, { taken, not }]) => {
		for (const headers of taken) expect([headers, await taker(`/${name}`, { headers })]).toEqual([headers, 'special'])
		for (const headers of not) expect([headers, await taker(`/${name}`, { headers })]).toEqual([headers, 'rest'])
	})

	test.for<[path: string, more: Parameters<FeatureStage['dial']>[2], app: string]>([
		['/two', { headers: { 'x-a': '1', 'x-b': '1' } }, 'special'],
		['/two', { headers: { 'x-a': '1' } }, 'rest'],
		['/query?v', {}, 'special'],
		['/query?w=v', {}, 'rest'],
		['/port', { port: 'second' }, 'special'],
		['/port', {}, 'rest'],
	])('%s with %j goes to %s', async ([path, more, app]) => {
		expect(await taker(path, more)).toBe(app)
	})
})

describe('grpc', () => {
	function call(
		path: string,
		more: { metadata?: Readonly<Record<string, string>>; host?: string; port?: string } = {},
	) {
		const { metadata = {}, host = 'www.example.com', port = 'main' } = more
		const via = { address: stage.proxyAddress('gateway:calls'), port: stage.port(port) }
		return callGrpc({ via, host, path, metadata })
	}
	const answered = (app: string): GrpcAnswer => ({ httpStatus: 200, grpcStatus: 0, app })
	const seenHost = () => stage.app('special', 'calls').received.at(-1)?.headers.host

	test.for(kinds)('metadata: %s', async ([name, { taken, not }]) => {
		for (const metadata of taken) expect(await call(`/kinds.${name}/Any`, { metadata })).toEqual(answered('special'))
		for (const metadata of not) expect(await call(`/kinds.${name}/Any`, { metadata })).toEqual(answered('rest'))
	})

	test('a host name, which becomes the service’s or is kept', async () => {
		expect(await call('/shop.Cart/Add')).toEqual(answered('rest'))
		expect(await call('/shop.Cart/Add', { host: 'ONE.example.com:80' })).toEqual(answered('special'))
		expect(seenHost()).toMatch(/^special\.apps\.local(:\d+)?$/)
		expect(await call('/shop.Cart/Add', { host: 'a.tenants.example.com' })).toEqual(answered('special'))
		expect(seenHost()).toBe('a.tenants.example.com')
		expect(await call('/shop.Cart/Add', { host: 'tenants.example.com' })).toEqual(answered('rest'))
	})

	test('a port of the gateway', async () => {
		expect(await call('/shop.Cart/Add', { port: 'second' })).toEqual(answered('special'))
	})

	test('what no route takes has no answer of an application', async () => {
		expect((await call('/shop.Other/Add')).app).toBeUndefined()
	})
})
