// What a proxy does when an application fails or is slow, counted at the application.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({ block: 32, apps: ['web', 'api', 'slow'], proxies: ['web', 'slow'], mesh: services })
})
afterAll(() => stage?.[Symbol.asyncDispose]())
beforeEach(() => {
	stage.app('api').forget()
	stage.app('slow').forget()
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
/** Routes to a node whose own listener limits a request to 200 ms. */
const slowRoutes: Readonly<Record<string, object>> = {
	'listener-limit': {
		timeout: { perRequest: seconds(5) },
		retryPolicy: retries(0, { httpRetryEvents: ['stream-error'] }),
	},
}

const host = (name: string) => `${name}.apps.local`

function services(at: FeaturePlaces): string {
	const port = at.port()
	const all = { ...routes, ...slowRoutes }
	const timeout = { http: { perRequest: ms(200) } }
	return yamlOf([
		mesh(),
		node('web', [], { backends: [...Object.keys(all), 'nobody'].map(host) }),
		node('api', [{ port }]),
		node('slow', [{ port, timeout }]),
		node('gone', [{ port: 9 }], { serviceDiscovery: { dns: { hostname: 'api.apps.local' } } }),
		...Object.entries(all).flatMap(([name, more]) => [
			service(host(name), { router: name }),
			router(name, [{ port: 80 }]),
			route(name, 'all', {
				httpRoute: {
					match: { prefix: '/' },
					action: targets({ [name in slowRoutes ? 'slow' : name === 'connection' ? 'gone' : 'api']: 1 }),
					...more,
				},
			}),
		]),
		service(host('nobody'), { node: 'gone' }),
	])
}

/** The first answers have these codes, all later ones are 200. */
function answerFirst(...statuses: number[]): void {
	const left = [...statuses]
	stage.app('api').script((exchange) => exchange.answer(left.shift() ?? 200, { 'x-app': 'api' }, ''))
}

const statusOf = async (name: string) => (await stage.ask('web', `http://${host(name)}/`)).status
const tries = () => stage.app('api').received.length

describe('retries', () => {
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
		stage.app('api').script((exchange) => {
			broken += 1
			if (broken <= 2) exchange.reset()
			else exchange.answer(200, {}, '')
		})
		expect([await statusOf('plain'), tries()]).toEqual([200, 3])
	})

	test('connections that are refused are tried as often as written', async () => {
		expect(await statusOf('connection')).toBe(503)
		const counted = await stage
			.envoy('web')
			.admin.stats('cluster\\.cds_egress_apps_gone_http_9\\.upstream_(rq_retry|cx_connect_fail)$')
		expect(Object.fromEntries(counted)).toEqual({
			'cluster.cds_egress_apps_gone_http_9.upstream_rq_retry': 2,
			'cluster.cds_egress_apps_gone_http_9.upstream_cx_connect_fail': 3,
		})
	})
})

describe('timeouts', () => {
	test('a request ends with the route’s limit', async () => {
		stage.app('api').script(() => {})
		const answer = await stage.ask('web', `http://${host('short')}/`)
		expect([answer.status, answer.body, tries()]).toEqual([504, 'upstream request timeout', 1])
	})

	test('a try ends with the limit for each, and the next one may succeed', async () => {
		let asked = 0
		stage.app('api').script((exchange) => {
			asked += 1
			if (asked > 1) exchange.answer(200, {}, '')
		})
		expect([await statusOf('each'), tries()]).toEqual([200, 2])
	})

	test('a silent stream ends with the idle limit, though requests have none', async () => {
		stage.app('api').script(() => {})
		expect((await stage.ask('web', `http://${host('silent')}/`)).status).toBe(504)
	})

	test('the listener of the target has a limit of its own', async () => {
		stage.app('slow').script(() => {})
		expect([
			(await stage.ask('web', `http://${host('listener-limit')}/`)).status,
			stage.app('slow').received.length,
		]).toEqual([504, 1])
	})
})
