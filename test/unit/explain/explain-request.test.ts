import { describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, typeUrls } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type Configuration, compiledConfiguration, heldConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import { isTaken } from '#explain/explained.ts'
import { readRequest } from '#explain/read-request.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../fixtures/mesh-fixture.ts'

const mesh: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'web', listeners: [], backends: ['shop.apps.local', 'gone.apps.local'] },
	{ kind: 'VirtualNode', name: 'shop' },
	{ kind: 'VirtualNode', name: 'lost', dns: null },
	{ kind: 'VirtualService', name: 'shop.apps.local', router: 'shop' },
	{ kind: 'VirtualService', name: 'gone.apps.local', node: 'lost' },
	{ kind: 'VirtualRouter', name: 'shop' },
	{
		kind: 'Route',
		name: 'some',
		router: 'shop',
		targets: { shop: 1, shop2: 0 },
		spec: { match: { path: { kind: 'prefix', prefix: '/some' } } },
	},
	{ kind: 'VirtualNode', name: 'shop2' },
	{ kind: 'VirtualGateway', name: 'edge', listeners: [{ port: 8080 }, { port: 8443 }] },
]
const intercepted = fixtureGroup('web', { mode: 'intercept' })

function compiledFor(group: ProxyGroup) {
	const compiled = compileGroup(fixtureEffective(mesh), group, nothingDiscovered)
	if (compiled === null) throw new Error('it is in the mesh')
	return compiled
}

function ask(
	url: string,
	group = intercepted,
	configuration: Configuration = compiledConfiguration(compiledFor(group)),
) {
	const asked = readRequest('GET', url, [])
	if (!asked.ok) throw new Error(asked.error)
	return explainRequest(configuration, group, asked.value)
}

test('destinations with their shares, those of 0 too', () => {
	const { outcome } = ask('http://shop.apps.local/some')
	expect(outcome).toEqual({
		kind: 'forwarded',
		destinations: [
			{ cluster: 'cds_egress_apps_shop_http2_80', virtualNode: 'mesh/apps/virtualNode/shop', sharePpm: 1_000_000 },
			{ cluster: 'cds_egress_apps_shop2_http2_80', virtualNode: 'mesh/apps/virtualNode/shop2', sharePpm: 0 },
		],
	})
	expect(isTaken(outcome)).toBe(true)
})

test('a cluster that is not there answers 503, and that is said', () => {
	expect(ask('http://gone.apps.local/').notes).toEqual([expect.stringContaining('answered with 503')])
})

test('an unknown host: the hosts that are known', () => {
	const { outcome, advice } = ask('http://elsewhere.example/')
	expect(outcome).toMatchObject({
		kind: 'unknownHost',
		nearest: null,
		known: expect.arrayContaining(['shop.apps.local']),
	})
	expect(advice).toContain('"shop.apps.local"')
	expect(isTaken(outcome)).toBe(false)
})

test('a gateway with several ports is asked by one of them', () => {
	const edge = fixtureGroup('edge', { mode: 'intercept' }, 'virtualGateway')
	expect(ask('http://shop.example/', edge).outcome).toMatchObject({
		kind: 'closed',
		ports: [{ port: 8080 }, { port: 8443 }],
	})
	expect(ask('http://shop.example:8080/', edge).outcome).toMatchObject({ kind: 'noRoute', nearest: null })
})

test('a client that begins with TLS where none is spoken is warned of', () => {
	expect(ask('https://shop.apps.local:80/some').notes).toEqual([expect.stringContaining('takes plain HTTP')])
})

describe('what a proxy holds', () => {
	const { types } = encodeSnapshot(compiledFor(intercepted), null).snapshot
	const all = Object.values(types).flatMap(({ resources }) => [...resources.values()])
	const without = (typeUrl: string) => all.filter((resource) => resource.typeUrl !== typeUrl)
	const unseen = (typeUrl: (typeof typeUrls)[keyof typeof typeUrls]) =>
		all.filter((resource) => resource.typeUrl === typeUrl).map(({ name }) => ({ typeUrl, name }))

	test('is explained from its bytes like what was just compiled', () => {
		expect(ask('http://shop.apps.local/some', intercepted, heldConfiguration(all, []))).toEqual(
			ask('http://shop.apps.local/some'),
		)
	})

	test('of an earlier run is not known: that is said, and nothing guessed', () => {
		for (const type of [typeUrls.listener, typeUrls.route]) {
			const { outcome } = ask(
				'http://shop.apps.local/some',
				intercepted,
				heldConfiguration(without(type), unseen(type)),
			)
			expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('earlier run') })
			expect(isTaken(outcome)).toBe(false)
		}
	})

	test('without the bytes of clusters its shares are known by cluster', () => {
		const held = heldConfiguration(without(typeUrls.cluster), unseen(typeUrls.cluster))
		expect(ask('http://shop.apps.local/some', intercepted, held)).toMatchObject({
			outcome: { destinations: [{ virtualNode: null, sharePpm: 1_000_000 }, { sharePpm: 0 }] },
			notes: [],
		})
	})

	test('without its routes a listener answers nobody', () => {
		const held = heldConfiguration(without(typeUrls.route), [])
		expect(ask('http://shop.apps.local/some', intercepted, held).outcome).toMatchObject({
			kind: 'closed',
			reason: expect.stringContaining('waits for its routes'),
		})
	})
})
