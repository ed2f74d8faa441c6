// What a proxy does when an application fails or is slow, counted at the application.
import { constants, createServer } from 'node:http2'
import type { Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listen } from '#lab/ports.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
let refusing: Server
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 32,
		apps: ['web', 'api', 'slow'],
		ownApps: ['refusing'],
		proxies: ['web', 'slow'],
		portNames: ['silence', 'http2', 'http2-silence'],
		mesh: services,
	})
	refusing = await startRefusing(stage.appAddress('refusing'), stage.port())
})
afterAll(async () => {
	refusing?.close()
	await stage?.[Symbol.asyncDispose]()
})
beforeEach(() => {
	for (const port of ['main', 'silence', 'http2', 'http2-silence']) {
		stage.app('api', port).forget()
		stage.app('slow', port).forget()
	}
})

const seconds = (value: number) => ({ unit: 's', value })
const ms = (value: number) => ({ unit: 'ms', value })
const retries = (maxRetries: number, events: object) => ({ maxRetries, perRetryTimeout: ms(400), ...events })

/** Name of a service → what its one route says beside match and action. */
const routes: Readonly<Record<string, object>> = {
	plain: {},
	'server-error': { retryPolicy: retries(3, { httpRetryEvents: ['server-error'] }) },
	'gateway-error': { retryPolicy: retries(1, { httpRetryEvents: ['gateway-error'] }) },
	'client-error': { retryPolicy: retries(2, { httpRetryEvents: ['client-error'] }) },
	'no-retries': { retryPolicy: retries(0, { httpRetryEvents: ['server-error'] }) },
	connection: { retryPolicy: retries(2, { tcpRetryEvents: ['connection-error'] }) },
	short: { timeout: { perRequest: ms(150) }, retryPolicy: retries(0, { httpRetryEvents: ['stream-error'] }) },
	silent: { timeout: { perRequest: seconds(0), idle: ms(200) } },
	each: { timeout: { perRequest: seconds(5) }, retryPolicy: retries(2, { httpRetryEvents: ['gateway-error'] }) },
}
/** Of these the target is a node whose own listener has the limit: 200 ms. */
const ofListeners = ['listener-request', 'listener-silence'] as const
const unlimited = {
	timeout: { perRequest: seconds(0), idle: seconds(0) },
	retryPolicy: retries(0, { httpRetryEvents: ['stream-error'] }),
}

const kinds = ['http', 'http2'] as const
type Kind = (typeof kinds)[number]
const host = (kind: Kind, name: string) => `${kind}-${name}.apps.local`

function services(at: FeaturePlaces): string {
	const all = { ...routes, ...Object.fromEntries(ofListeners.map((name) => [name, unlimited])) }
	const main = (kind: Kind) => at.port(kind === 'http' ? 'main' : 'http2')
	const silence = (kind: Kind) => at.port(kind === 'http' ? 'silence' : 'http2-silence')
	const target = (kind: Kind, name: string) => {
		if (name === 'connection') return { virtualNode: `gone-${kind}`, port: 9 }
		if (name === 'listener-request') return { virtualNode: 'slow', port: main(kind) }
		if (name === 'listener-silence') return { virtualNode: 'slow', port: silence(kind) }
		return { virtualNode: 'api', port: main(kind) }
	}
	const gone = { serviceDiscovery: { dns: { hostname: 'api.apps.local' } } }
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: [
				...kinds.flatMap((kind) => Object.keys(all).map((name) => host(kind, name))),
				host('http2', 'stream-error'),
			],
		}),
		node(
			'api',
			kinds.map((protocol) => ({ port: main(protocol), protocol })),
		),
		node(
			'slow',
			kinds.flatMap((protocol) => [
				{ port: main(protocol), protocol, timeout: { [protocol]: { perRequest: ms(200), idle: ms(0) } } },
				{ port: silence(protocol), protocol, timeout: { [protocol]: { perRequest: ms(0), idle: ms(200) } } },
			]),
		),
		node('refusing', [{ port: at.port(), protocol: 'http2' }]),
		...kinds.flatMap((protocol) => [
			node(`gone-${protocol}`, [{ port: 9, protocol }], gone),
			...Object.entries(all).flatMap(([name, more]) =>
				routed(protocol, name, { target: target(protocol, name), more }),
			),
		]),
		...routed('http2', 'stream-error', {
			target: { virtualNode: 'refusing', port: at.port() },
			more: { retryPolicy: retries(2, { httpRetryEvents: ['stream-error'] }) },
		}),
	])
}

function routed(kind: Kind, name: string, { target, more }: { readonly target: object; readonly more: object }) {
	const called = `${kind}-${name}`
	const action = { weightedTargets: [{ ...target, weight: 1 }] }
	return [
		service(host(kind, name), { router: called }),
		router(called, [{ port: 80, protocol: kind }]),
		route(called, 'all', { [`${kind}Route`]: { match: { prefix: '/' }, action, ...more } }),
	]
}

/** An HTTP/2 server that refuses two streams, as one that is full or about to go does, and answers the third. */
async function startRefusing(address: string, port: number): Promise<Server> {
	const server = createServer()
	let streams = 0
	server.on('stream', (stream) => {
		stream.on('error', () => {})
		streams += 1
		if (streams <= 2) stream.close(constants.NGHTTP2_REFUSED_STREAM)
		else stream.respond({ ':status': 200, 'x-app': `refusing-${streams}` }, { endStream: true })
	})
	return listen(address, port, server)
}

test('stream-error: streams that are refused are tried again', async () => {
	expect(await stage.ask('web', `http://${host('http2', 'stream-error')}/`)).toMatchObject({
		status: 200,
		app: 'refusing-3',
	})
})

describe.for(kinds)('%sRoute', (kind) => {
	const app = (name: 'api' | 'slow') => stage.app(name, kind === 'http' ? 'main' : 'http2')
	const statusOf = async (name: string) => (await stage.ask('web', `http://${host(kind, name)}/`)).status
	const tries = () => app('api').received.length

	/** The first answers have these codes, all later ones are 200. */
	function answerFirst(...statuses: number[]): void {
		const left = [...statuses]
		app('api').script((exchange) => exchange.answer(left.shift() ?? 200, { 'x-app': 'api' }, ''))
	}

	test.for<[name: string, answers: number[], status: number, tries: number]>([
		// App Mesh's own, where none are written: two, of 503 and of connections that break.
		['plain', [503, 503], 200, 3],
		['plain', [503, 503, 503], 503, 3],
		['plain', [500], 500, 1],
		['server-error', [500, 502, 511], 200, 4],
		['server-error', [500, 500, 500, 500], 500, 4],
		['server-error', [404], 404, 1],
		['gateway-error', [502], 200, 2],
		['gateway-error', [504, 504], 504, 2],
		['gateway-error', [500], 500, 1],
		['client-error', [409, 409], 200, 3],
		['client-error', [400], 400, 1],
		// A written policy replaces the default altogether.
		['no-retries', [503], 503, 1],
	])('%s, the app answers %j: %i after %i', async ([name, answers, status, wanted]) => {
		answerFirst(...answers)
		expect([await statusOf(name), tries()]).toEqual([status, wanted])
	})

	test('connections that break are tried again by default', async () => {
		let broken = 0
		app('api').script((exchange) => {
			broken += 1
			if (broken <= 2) exchange.reset()
			else exchange.answer(200, {}, '')
		})
		expect([await statusOf('plain'), tries()]).toEqual([200, 3])
	})

	test('connections that are refused are tried as often as written', async () => {
		const cluster = `cluster.cds_egress_apps_gone-${kind}_${kind}_9`
		expect(await statusOf('connection')).toBe(503)
		const counted = await stage.envoy('web').admin.stats(`^${cluster}.upstream_(rq_retry|cx_connect_fail)$`)
		expect(Object.fromEntries(counted)).toEqual({
			[`${cluster}.upstream_rq_retry`]: 2,
			[`${cluster}.upstream_cx_connect_fail`]: 3,
		})
	})

	test('a request ends with the route’s limit', async () => {
		app('api').script(() => {})
		const answer = await stage.ask('web', `http://${host(kind, 'short')}/`)
		expect([answer.status, answer.body, tries()]).toEqual([504, 'upstream request timeout', 1])
	})

	test('a try ends with the limit for each, and the next one may succeed', async () => {
		let asked = 0
		app('api').script((exchange) => {
			asked += 1
			if (asked > 1) exchange.answer(200, {}, '')
		})
		expect([await statusOf('each'), tries()]).toEqual([200, 2])
	})

	test('a silent stream ends with the idle limit, though requests have none', async () => {
		app('api').script(() => {})
		expect(await statusOf('silent')).toBe(504)
	})

	test('the listener of the target has limits of its own', async () => {
		const silent = stage.app('slow', kind === 'http' ? 'silence' : 'http2-silence')
		app('slow').script(() => {})
		silent.script(() => {})
		expect([await statusOf('listener-request'), app('slow').received.length]).toEqual([504, 1])
		expect([await statusOf('listener-silence'), silent.received.length]).toEqual([504, 1])
	})
})
