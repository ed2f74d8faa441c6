// gRPC: matches by service, method and metadata, weights, retries by status, and errors that hide in an answer of 200.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { answerGrpc } from './fixtures/answer-grpc.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc, type GrpcAnswer } from './fixtures/grpc-call.ts'
import { headerMatches } from './fixtures/header-matches.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 34,
		apps: ['web', 'cart', 'special'],
		proxies: ['web'],
		portNames: ['second'],
		mesh: services,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())
beforeEach(() => {
	for (const name of ['cart', 'special']) {
		for (const port of ['main', 'second']) {
			stage.app(name, port).forget()
			stage.app(name, port).script((exchange) => answerGrpc(exchange, name))
		}
	}
})

const host = (name: string) => `${name}.apps.local`
const names = ['matched', 'weighed', 'retried', 'kinds', 'ports']
const kinds = Object.entries(headerMatches)

function services(at: FeaturePlaces): string {
	const port = at.port()
	const toSpecial = targets({ special: 1 })
	const rest = (name: string) => route(name, 'rest', { grpcRoute: { match: {}, action: targets({ cart: 1 }) } })
	const second = at.port('second')
	const grpcListener = (port: number) => ({ port, protocol: 'grpc' })
	return yamlOf([
		mesh(),
		node('web', [], { backends: names.map(host) }),
		node('cart', [{ port, protocol: 'grpc' }]),
		node('special', [{ port, protocol: 'grpc' }]),
		node('both-ports', [port, second].map(grpcListener), {
			serviceDiscovery: { dns: { hostname: 'special.apps.local' } },
		}),
		...names.flatMap((name) => [
			service(host(name), { router: name }),
			router(name, (name === 'ports' ? [80, 8080] : [80]).map(grpcListener)),
		]),
		rest('kinds'),
		...kinds.map(([name, { written }]) =>
			route('kinds', name, {
				grpcRoute: { match: { serviceName: `kinds.${name}`, metadata: [written] }, action: toSpecial },
			}),
		),
		rest('ports'),
		route('ports', 'second', {
			grpcRoute: {
				match: { port: 8080 },
				action: { weightedTargets: [{ virtualNode: 'both-ports', port: second, weight: 1 }] },
			},
		}),
		rest('matched'),
		route('matched', 'service', {
			priority: 3,
			grpcRoute: { match: { serviceName: 'shop.Special' }, action: toSpecial },
		}),
		route('matched', 'method', {
			priority: 2,
			grpcRoute: { match: { serviceName: 'shop.Cart', methodName: 'Clear' }, action: toSpecial },
		}),
		route('matched', 'metadata', {
			priority: 1,
			grpcRoute: { match: { metadata: [{ name: 'x-tenant', match: { prefix: 'beta-' } }] }, action: toSpecial },
		}),
		route('weighed', 'all', { grpcRoute: { match: {}, action: targets({ cart: 75, special: 25 }) } }),
		route('retried', 'all', {
			grpcRoute: {
				match: {},
				action: targets({ cart: 1 }),
				retryPolicy: {
					maxRetries: 2,
					perRetryTimeout: { unit: 's', value: 1 },
					grpcRetryEvents: ['unavailable', 'internal'],
				},
			},
		}),
	])
}

function call(name: string, path: string, metadata: Readonly<Record<string, string>> = {}): Promise<GrpcAnswer> {
	return callHost(host(name), path, metadata)
}

function callHost(host: string, path: string, metadata: Readonly<Record<string, string>> = {}): Promise<GrpcAnswer> {
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	return callGrpc({ via, host, path, metadata })
}

test.for<[path: string, metadata: Readonly<Record<string, string>>, app: string]>([
	['/shop.Cart/Add', {}, 'cart'],
	['/shop.Cart/Clear', {}, 'special'],
	['/shop.Cart/ClearAll', {}, 'cart'],
	['/shop.Special/Add', {}, 'special'],
	['/shop.SpecialOffer/Add', {}, 'cart'],
	['/shop.Cart/Add', { 'x-tenant': 'beta-1' }, 'special'],
	['/shop.Cart/Add', { 'x-tenant': 'alpha' }, 'cart'],
])('%s with %j goes to %s', async ([path, metadata, app]) => {
	expect(await call('matched', path, metadata)).toEqual({ httpStatus: 200, grpcStatus: 0, app })
})

test.for(kinds)('metadata: %s', async ([name, { taken, not }]) => {
	const taker = async (metadata: Readonly<Record<string, string>>) =>
		(await call('kinds', `/kinds.${name}/Any`, metadata)).app
	for (const metadata of taken) expect([metadata, await taker(metadata)]).toEqual([metadata, 'special'])
	for (const metadata of not) expect([metadata, await taker(metadata)]).toEqual([metadata, 'cart'])
})

test('a port of the router leads to a port of a node', async () => {
	expect((await callHost(host('ports'), '/shop.Cart/Add')).app).toBe('cart')
	expect((await callHost(`${host('ports')}:8080`, '/shop.Cart/Add')).app).toBe('special')
	expect(stage.app('special', 'second').received.length).toBe(1)
})

test('what is no gRPC is no match', async () => {
	expect((await stage.ask('web', `http://${host('matched')}/shop.Cart/Add`)).status).toBe(404)
})

test('weights are shares of the calls', async () => {
	const calls = 400
	for (let sent = 0; sent < calls; sent += 20)
		await Promise.all(Array.from({ length: 20 }, () => call('weighed', '/shop.Cart/Add')))
	const share = stage.app('special').received.length / calls
	// Four standard deviations around a quarter.
	expect(Math.abs(share - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / calls))
	expect(stage.app('cart').received.length + stage.app('special').received.length).toBe(calls)
})

test.for<[statuses: number[], grpcStatus: number, tries: number]>([
	[[14, 13], 0, 3],
	[[14, 14, 14], 14, 3],
	[[5], 5, 1],
])('retries by status: the app answers %j, the caller gets %i after %i', async ([statuses, grpcStatus, tries]) => {
	const left = [...statuses]
	// Envoy retries what fails in its headers alone: a status in trailers comes after the answer has begun.
	stage.app('cart').script((exchange) => {
		const status = left.shift() ?? 0
		const headers = { 'x-app': 'cart', 'content-type': 'application/grpc' }
		if (status === 0) answerGrpc(exchange, 'cart')
		else exchange.answer(200, { ...headers, 'grpc-status': String(status) }, '')
	})
	expect((await call('retried', '/shop.Cart/Add')).grpcStatus).toBe(grpcStatus)
	expect(stage.app('cart').received.length).toBe(tries)
})

test('an error in an answer of 200 is counted by its status', async () => {
	const name = `cluster\\.cds_egress_apps_special_grpc_${stage.port()}\\.grpc\\.13$`
	const before = [...(await stage.envoy('web').admin.stats(name)).values()][0] ?? 0
	stage.app('special').script((exchange) => answerGrpc(exchange, 'special', 13))
	expect(await call('matched', '/shop.Special/Add')).toEqual({ httpStatus: 200, grpcStatus: 13, app: 'special' })
	expect([...(await stage.envoy('web').admin.stats(name)).values()]).toEqual([before + 1])
})
