// gRPC under limits: retries by every kind of event, timeouts of the route and of the target's listener, a pool.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import { answerGrpc } from './fixtures/answer-grpc.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc } from './fixtures/grpc-call.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
const ports = ['request', 'silence', 'pool']
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 65,
		apps: ['web', 'cart', 'limited'],
		proxies: ['web', 'limited'],
		portNames: ports,
		mesh: services,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())
beforeEach(() => {
	stage.app('cart').forget()
	for (const port of ports) stage.app('limited', port).forget()
})

const host = (name: string) => `${name}.apps.local`
const ms = (value: number) => ({ unit: 'ms', value })
const none = ms(0)

const grpcEvents = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'] as const
const retries = (events: object, perRetryTimeout = ms(300)) => ({
	retryPolicy: { maxRetries: 1, perRetryTimeout, ...events },
})
const noRetries = { retryPolicy: { maxRetries: 0, perRetryTimeout: none, grpcRetryEvents: ['internal'] } }

/** Name of a service → what its one route says beside match and action. */
const routes: Readonly<Record<string, object>> = {
	...Object.fromEntries(grpcEvents.map((event) => [event, retries({ grpcRetryEvents: [event] })])),
	'gateway-error': retries({ httpRetryEvents: ['gateway-error'] }),
	connection: retries({ tcpRetryEvents: ['connection-error'] }),
	request: { timeout: { perRequest: ms(200) }, ...noRetries },
	silence: { timeout: { perRequest: none, idle: ms(200) }, ...noRetries },
}
const unlimited = { timeout: { perRequest: none, idle: none }, ...noRetries }

function services(at: FeaturePlaces): string {
	const port = at.port()
	const to = (name: string) => {
		if (name === 'connection') return targets({ gone: 1 })
		const [, listener] = name.split('listener-')
		if (listener === undefined) return targets({ cart: 1 })
		return { weightedTargets: [{ virtualNode: 'limited', port: at.port(listener), weight: 1 }] }
	}
	const all = { ...routes, ...Object.fromEntries(ports.map((name) => [`listener-${name}`, unlimited])) }
	const listener = (name: string, more: object) => ({ port: at.port(name), protocol: 'grpc', ...more })
	return yamlOf([
		mesh(),
		node('web', [], { backends: Object.keys(all).map(host) }),
		node('cart', [{ port, protocol: 'grpc' }]),
		node('gone', [{ port: 9, protocol: 'grpc' }], { serviceDiscovery: { dns: { hostname: host('cart') } } }),
		node('limited', [
			listener('request', { timeout: { grpc: { perRequest: ms(200), idle: none } } }),
			listener('silence', { timeout: { grpc: { perRequest: none, idle: ms(200) } } }),
			listener('pool', { connectionPool: { grpc: { maxRequests: 2 } } }),
		]),
		...Object.entries(all).flatMap(([name, more]) => [
			service(host(name), { router: name }),
			router(name, [{ port: 80, protocol: 'grpc' }]),
			route(name, 'all', { grpcRoute: { match: {}, action: to(name), ...more } }),
		]),
	])
}

async function call(name: string): Promise<number | null> {
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	return (await callGrpc({ via, host: host(name), path: '/shop.Cart/Add' })).grpcStatus
}

/** The first answer is this, all later ones are good. */
function first(answer: (exchange: HttpExchange) => void): void {
	let asked = 0
	stage.app('cart').script((exchange) => {
		asked += 1
		if (asked === 1) answer(exchange)
		else answerGrpc(exchange, 'cart')
	})
}

/** In headers alone: a status in trailers comes after the answer has begun, and is not tried again. */
const failing = (status: number) => (exchange: HttpExchange) => {
	exchange.answer(200, { 'content-type': 'application/grpc', 'grpc-status': String(status) }, '')
}

describe('retries', () => {
	test.for([
		['cancelled', 1],
		['deadline-exceeded', 4],
		['internal', 13],
		['resource-exhausted', 8],
		['unavailable', 14],
	] as const)('%s is the status %i, and no other', async ([event, status]) => {
		first(failing(status))
		expect([await call(event), stage.app('cart').received.length]).toEqual([0, 2])
		stage.app('cart').forget()
		const other = status === 13 ? 14 : 13
		first(failing(other))
		expect([await call(event), stage.app('cart').received.length]).toEqual([other, 1])
	})

	test('an event of HTTP: an answer of 503', async () => {
		first((exchange) => exchange.answer(503, {}, ''))
		expect([await call('gateway-error'), stage.app('cart').received.length]).toEqual([0, 2])
	})

	test('a try ends with the limit for each', async () => {
		first(() => {})
		expect([await call('gateway-error'), stage.app('cart').received.length]).toEqual([0, 2])
	})

	test('connections that are refused are tried as often as written', async () => {
		expect(await call('connection')).toBe(14)
		const cluster = 'cluster.cds_egress_apps_gone_grpc_9'
		const counted = await stage.envoy('web').admin.stats(`^${cluster}.upstream_(rq_retry|cx_connect_fail)$`)
		expect(Object.fromEntries(counted)).toEqual({
			[`${cluster}.upstream_rq_retry`]: 1,
			[`${cluster}.upstream_cx_connect_fail`]: 2,
		})
	})
})

describe('timeouts', () => {
	test.for(['request', 'silence'])('of the route: %s', async (name) => {
		stage.app('cart').script(() => {})
		expect(await call(name)).toBeGreaterThan(0)
		expect(stage.app('cart').received.length).toBe(1)
	})

	test.for(['request', 'silence'])('of the target’s listener: %s', async (name) => {
		stage.app('limited', name).script(() => {})
		expect(await call(`listener-${name}`)).toBeGreaterThan(0)
		expect(stage.app('limited', name).received.length).toBe(1)
	})
})

test('a pool of two requests refuses the third', async () => {
	const held: HttpExchange[] = []
	stage.app('limited', 'pool').script((exchange) => void held.push(exchange))
	let refused = 0
	const calls = Array.from({ length: 5 }, async () => {
		const status = await call('listener-pool')
		if (status === 14) refused += 1
		return status
	})
	await eventually('three are refused while two wait', () => refused === 3 && held.length === 2)
	for (const exchange of held) answerGrpc(exchange, 'limited')
	expect((await Promise.all(calls)).sort()).toEqual([0, 0, 14, 14, 14])
})
