// Which route takes a request: every kind of match, and the order in which routes are tried.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({ block: 31, apps: ['web', 'rest', 'special'], proxies: ['web'], mesh: matches })
})
afterAll(() => stage?.[Symbol.asyncDispose]())

const toSpecial = targets({ special: 1 })

/** Of each case: what it matches. All else goes to `rest`. */
const cases: Readonly<Record<string, object>> = {
	prefix: { prefix: '/p' },
	'exact-path': { path: { exact: '/exact' } },
	'regex-path': { path: { regex: '/n/[0-9]+' } },
	method: { prefix: '/', method: 'PUT' },
	'header-exact': { prefix: '/', headers: [{ name: 'x-a', match: { exact: 'one' } }] },
	'header-prefix': { prefix: '/', headers: [{ name: 'x-a', match: { prefix: 'on' } }] },
	'header-suffix': { prefix: '/', headers: [{ name: 'x-a', match: { suffix: 'ne' } }] },
	'header-regex': { prefix: '/', headers: [{ name: 'x-a', match: { regex: 'o.e' } }] },
	'header-range': { prefix: '/', headers: [{ name: 'x-a', match: { range: { start: 10, end: 20 } } }] },
	'header-present': { prefix: '/', headers: [{ name: 'X-A' }] },
	'header-inverted': { prefix: '/', headers: [{ name: 'x-a', invert: true, match: { exact: 'one' } }] },
	'header-absent': { prefix: '/', headers: [{ name: 'x-a', invert: true }] },
	'two-headers': { prefix: '/', headers: [{ name: 'x-a' }, { name: 'x-b', match: { exact: '2' } }] },
	'query-exact': { prefix: '/', queryParameters: [{ name: 'v', match: { exact: '2' } }] },
	'query-present': { prefix: '/', queryParameters: [{ name: 'v' }] },
	'path-and-query': { prefix: '/p', queryParameters: [{ name: 'v', match: { exact: '2' } }] },
}

const order = ['by-length', 'by-priority', 'by-priority-not-length', 'exact-first'] as const

function matches(at: FeaturePlaces): string {
	const port = at.port()
	const names = [...Object.keys(cases), ...order]
	const host = (name: string) => `${name}.apps.local`
	return yamlOf([
		mesh(),
		node('web', [], { backends: names.map(host) }),
		node('rest', [{ port }]),
		node('special', [{ port }]),
		...names.flatMap((name) => [service(host(name), { router: name }), router(name, [{ port: 80 }])]),
		...Object.entries(cases).flatMap(([name, match]) => [
			route(name, 'special', { priority: 1, httpRoute: { match, action: toSpecial } }),
			route(name, 'rest', { httpRoute: { match: { prefix: '/' }, action: targets({ rest: 1 }) } }),
		]),
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
		route('exact-first', 'a', { httpRoute: { match: { prefix: '/abc' }, action: targets({ rest: 1 }) } }),
		route('exact-first', 'z', { httpRoute: { match: { path: { exact: '/abc' } }, action: toSpecial } }),
	])
}

function ordered(name: string, routes: readonly (readonly [number | undefined, string, string])[]) {
	return routes.map(([priority, prefix, target], index) => {
		const httpRoute = { match: { prefix }, action: targets({ [target]: 1 }) }
		return route(name, `r${index}`, priority === undefined ? { httpRoute } : { priority, httpRoute })
	})
}

type Request = { readonly path?: string; readonly method?: string; readonly headers?: Readonly<Record<string, string>> }

async function taker(name: string, { path = '/', ...request }: Request): Promise<string | undefined> {
	return (await stage.ask('web', `http://${name}.apps.local${path}`, request)).app
}

describe('matches', () => {
	test.for<[name: string, taken: readonly Request[], not: readonly Request[]]>([
		['prefix', [{ path: '/p' }, { path: '/pq/r' }, { path: '/p?q=1' }], [{ path: '/' }, { path: '/q/p' }]],
		['exact-path', [{ path: '/exact' }, { path: '/exact?q' }], [{ path: '/exact/' }, { path: '/exacty' }]],
		['regex-path', [{ path: '/n/12' }, { path: '/n/1?q' }], [{ path: '/n/' }, { path: '/n/1a' }, { path: '/x/n/1' }]],
		['method', [{ method: 'PUT' }], [{ method: 'GET' }]],
		[
			'header-exact',
			[{ headers: { 'X-A': 'one' } }],
			[{}, { headers: { 'x-a': 'One' } }, { headers: { 'x-a': 'onee' } }],
		],
		['header-prefix', [{ headers: { 'x-a': 'one' } }], [{}, { headers: { 'x-a': 'none' } }]],
		['header-suffix', [{ headers: { 'x-a': 'one' } }], [{}, { headers: { 'x-a': 'ones' } }]],
		['header-regex', [{ headers: { 'x-a': 'ore' } }], [{}, { headers: { 'x-a': 'more' } }]],
		[
			'header-range',
			[{ headers: { 'x-a': '10' } }, { headers: { 'x-a': '19' } }],
			[{}, { headers: { 'x-a': '20' } }, { headers: { 'x-a': '9' } }, { headers: { 'x-a': 'x' } }],
		],
		['header-present', [{ headers: { 'x-a': '' } }, { headers: { 'x-a': '1' } }], [{}]],
		['header-inverted', [{ headers: { 'x-a': 'two' } }], [{ headers: { 'x-a': 'one' } }]],
		['header-absent', [{}], [{ headers: { 'x-a': '1' } }]],
		[
			'two-headers',
			[{ headers: { 'x-a': '1', 'x-b': '2' } }],
			[{ headers: { 'x-a': '1' } }, { headers: { 'x-b': '2' } }],
		],
		['query-exact', [{ path: '/?v=2' }, { path: '/x?a=1&v=2' }], [{ path: '/?v=3' }, { path: '/?V=2' }, { path: '/' }]],
		['query-present', [{ path: '/?v=2' }, { path: '/?v' }], [{ path: '/?w' }]],
		['path-and-query', [{ path: '/p?v=2' }], [{ path: '/p' }, { path: '/?v=2' }]],
	])('%s', async ([name, taken, not]) => {
		for (const request of taken) expect([request, await taker(name, request)]).toEqual([request, 'special'])
		for (const request of not) expect([request, await taker(name, request)]).toEqual([request, 'rest'])
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

test('nothing in it is deprecated', async () => {
	const { admin } = stage.envoy('web')
	expect([...(await admin.stats('deprecated_feature_use|unknown_fields')).values()].every((count) => count === 0)).toBe(
		true,
	)
})
