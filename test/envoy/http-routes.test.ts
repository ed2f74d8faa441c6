// Which route takes a request: every kind of match, and the order in which routes are tried.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { headerMatches } from './fixtures/header-matches.ts'
import { mesh, node, route, router, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 31,
		apps: ['web', 'rest', 'special'],
		proxies: ['web'],
		portNames: ['http2', 'second'],
		mesh: matches,
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

const kinds = ['http', 'http2'] as const
type Kind = (typeof kinds)[number]
const routeOf = { http: 'httpRoute', http2: 'http2Route' } as const

/** Of each case: what it matches. All else goes to `rest`. */
const cases: Readonly<Record<string, object>> = {
	prefix: { prefix: '/p' },
	'exact-path': { path: { exact: '/exact' } },
	'regex-path': { path: { regex: '/n/[0-9]+' } },
	method: { prefix: '/', method: 'PUT' },
	...Object.fromEntries(
		Object.entries(headerMatches).map(([name, { written }]) => [`header-${name}`, { prefix: '/', headers: [written] }]),
	),
	'two-headers': { prefix: '/', headers: [{ name: 'x-a' }, { name: 'x-b', match: { exact: '2' } }] },
	'query-exact': { prefix: '/', queryParameters: [{ name: 'v', match: { exact: '2' } }] },
	'query-present': { prefix: '/', queryParameters: [{ name: 'v' }] },
	'path-and-query': { prefix: '/p', queryParameters: [{ name: 'v', match: { exact: '2' } }] },
	'scheme-http': { prefix: '/', scheme: 'http' },
	'scheme-https': { prefix: '/', scheme: 'https' },
	port: { prefix: '/', port: 8080 },
}

const order = ['by-length', 'by-priority', 'by-priority-not-length', 'exact-first'] as const

function matches(at: FeaturePlaces): string {
	const portOf = (kind: Kind) => at.port(kind === 'http' ? 'main' : 'http2')
	const to = (kind: Kind, name: string) => ({
		action: { weightedTargets: [{ virtualNode: name, port: portOf(kind), weight: 1 }] },
	})
	const listeners = [{ port: at.port() }, { port: at.port('http2'), protocol: 'http2' }, { port: at.port('second') }]
	const weighed = (kind: Kind) => [
		service(host(`${kind}-weighed`), { router: `${kind}-weighed` }),
		router(`${kind}-weighed`, [{ port: 80, protocol: kind }]),
		route(`${kind}-weighed`, 'all', {
			[routeOf[kind]]: {
				match: { prefix: '/' },
				action: {
					weightedTargets: [
						{ virtualNode: 'rest', port: portOf(kind), weight: 3 },
						{ virtualNode: 'special', port: portOf(kind), weight: 1 },
					],
				},
			},
		}),
	]
	const ofKind = (kind: Kind) =>
		Object.entries(cases).flatMap(([name, match]) => {
			const called = `${kind}-${name}`
			return [
				service(host(called), { router: called }),
				router(called, [
					{ port: 80, protocol: kind },
					{ port: 8080, protocol: kind },
				]),
				route(called, 'special', { priority: 1, [routeOf[kind]]: { match, ...to(kind, 'special') } }),
				route(called, 'rest', { [routeOf[kind]]: { match: { prefix: '/' }, ...to(kind, 'rest') } }),
			]
		})
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: [
				...order,
				'target-port',
				...kinds.flatMap((kind) => ['weighed', ...Object.keys(cases)].map((name) => `${kind}-${name}`)),
			].map(host),
		}),
		node('rest', listeners),
		node('special', listeners),
		...[...order, 'target-port'].flatMap((name) => [
			service(host(name), { router: name }),
			router(name, [{ port: 80 }]),
		]),
		...kinds.flatMap(ofKind),
		...kinds.flatMap(weighed),
		route('target-port', 'all', {
			httpRoute: {
				match: { prefix: '/' },
				action: { weightedTargets: [{ virtualNode: 'special', port: at.port('second'), weight: 1 }] },
			},
		}),
		...ordered('by-length', [
			[undefined, '/a', 'rest'],
			[undefined, '/a/long', 'special'],
		]),
		...ordered('by-priority', [
			[2, '/a', 'rest'],
			[1, '/a', 'special'],
		]),
		...ordered('by-priority-not-length', [
			[5, '/a/long', 'rest'],
			[4, '/a', 'special'],
		]),
		route('exact-first', 'a', { httpRoute: { match: { prefix: '/abc' }, ...to('http', 'rest') } }),
		route('exact-first', 'z', { httpRoute: { match: { path: { exact: '/abc' } }, ...to('http', 'special') } }),
	])

	function ordered(name: string, routes: readonly (readonly [number | undefined, string, string])[]) {
		return routes.map(([priority, prefix, target], index) => {
			const httpRoute = { match: { prefix }, ...to('http', target) }
			return route(name, `r${index}`, priority === undefined ? { httpRoute } : { priority, httpRoute })
		})
	}
}

const host = (name: string) => `${name}.apps.local`

type Request = {
	readonly path?: string
	readonly method?: string
	readonly headers?: Readonly<Record<string, string>>
	/** As the Host header has it. */
	readonly port?: number
}

async function taker(name: string, { path = '/', port, ...request }: Request): Promise<string | undefined> {
	const authority = port === undefined ? host(name) : `${host(name)}:${port}`
	return (await stage.ask('web', `http://${authority}${path}`, request)).app
}

describe.for(kinds)('matches of an %sRoute', (kind) => {
	test.for<[name: string, taken: readonly Request[], not: readonly Request[]]>([
		['prefix', [{ path: '/p' }, { path: '/pq/r' }, { path: '/p?q=1' }], [{ path: '/' }, { path: '/q/p' }]],
		['exact-path', [{ path: '/exact' }, { path: '/exact?q' }], [{ path: '/exact/' }, { path: '/exacty' }]],
		['regex-path', [{ path: '/n/12' }, { path: '/n/1?q' }], [{ path: '/n/' }, { path: '/n/1a' }, { path: '/x/n/1' }]],
		['method', [{ method: 'PUT' }], [{ method: 'GET' }]],
		...Object.entries(headerMatches).map(([name, { taken, not }]): [string, Request[], Request[]] => {
			const requests = (all: typeof taken) => all.map((headers) => ({ headers }))
			return [`header-${name}`, requests(taken), requests(not)]
		}),
		[
			'two-headers',
			[{ headers: { 'x-a': '1', 'x-b': '2' } }],
			[{ headers: { 'x-a': '1' } }, { headers: { 'x-b': '2' } }],
		],
		['query-exact', [{ path: '/?v=2' }, { path: '/x?a=1&v=2' }], [{ path: '/?v=3' }, { path: '/?V=2' }, { path: '/' }]],
		['query-present', [{ path: '/?v=2' }, { path: '/?v' }], [{ path: '/?w' }]],
		['path-and-query', [{ path: '/p?v=2' }], [{ path: '/p' }, { path: '/?v=2' }]],
		['scheme-http', [{}], []],
		['scheme-https', [], [{}]],
		['port', [{ port: 8080 }], [{}, { port: 80 }]],
	])('%s', async ([name, taken, not]) => {
		const called = `${kind}-${name}`
		for (const request of taken) expect([request, await taker(called, request)]).toEqual([request, 'special'])
		for (const request of not) expect([request, await taker(called, request)]).toEqual([request, 'rest'])
	})
})

describe('order', () => {
	test.for<[name: string, path: string, wanted: string]>([
		['by-length', '/a/long/way', 'special'],
		['by-length', '/a/short', 'rest'],
		['by-priority', '/a', 'special'],
		['by-priority-not-length', '/a/long', 'special'],
		['exact-first', '/abc', 'special'],
		['exact-first', '/abcd', 'rest'],
	])('%s: %s', async ([name, path, wanted]) => {
		expect(await taker(name, { path })).toBe(wanted)
	})

	test('what no route takes is 404', async () => {
		expect((await stage.ask('web', 'http://by-length.apps.local/b')).status).toBe(404)
	})
})

test.for(kinds)('a %sRoute by scheme takes what says over HTTP/2 that it is https', async (kind) => {
	const session = connect(`http://${stage.proxyAddress('web')}:${stage.egressPort}`)
	const stream = session.request({ ':scheme': 'https', ':authority': host(`${kind}-scheme-https`), ':path': '/' })
	const [headers] = (await once(stream, 'response')) as [Record<string, string>]
	session.destroy()
	expect(headers['x-app']).toBe('special')
})

test.for(kinds)('weights of an %sRoute are shares of the requests', async (kind) => {
	const requests = 400
	let special = 0
	for (let sent = 0; sent < requests; sent += 20) {
		const takers = await Promise.all(Array.from({ length: 20 }, () => taker(`${kind}-weighed`, {})))
		special += takers.filter((app) => app === 'special').length
	}
	// Four standard deviations around a quarter.
	expect(Math.abs(special / requests - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / requests))
})

test('a target is one port of its node', async () => {
	expect(await taker('target-port', {})).toBe('special')
	expect(stage.app('special', 'second').received.length).toBe(1)
})

test('nothing in it is deprecated', async () => {
	const { admin } = stage.envoy('web')
	expect([...(await admin.stats('deprecated_feature_use|unknown_fields')).values()].every((count) => count === 0)).toBe(
		true,
	)
})
