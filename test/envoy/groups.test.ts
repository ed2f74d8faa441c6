// Two routes of one router, of which one matches a header, go to another version in one commit: one rollout.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

const shop = 'shop.apps.local'
let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 78,
		apps: ['web', 'cart', 'cart2'],
		proxies: ['web'],
		mesh: (at) => shopOf(at, { cart: 1 }),
	})
})
afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

type Weights = Readonly<Record<string, number>>

function shopOf(at: FeaturePlaces, weights: Weights, ofBeta = weights): string {
	const port = at.port()
	const betaOnly = { prefix: '/', headers: [{ name: 'x-beta' }] }
	return yamlOf([
		mesh(),
		{
			kind: 'RolloutPolicy',
			metadata: { mesh: 'apps', name: 'quick' },
			spec: { steps: [{ weight: 50, minDuration: '1s' }], bake: '1s', warmUp: '0s' },
		},
		node('web', [], { backends: [{ virtualServiceName: shop }] }),
		...['cart', 'cart2'].map((name) => node(name, [{ port }])),
		service(shop, { router: 'shop' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets(weights) }, priority: 2 }),
		route('shop', 'beta', { httpRoute: { match: betaOnly, action: targets(ofBeta) }, priority: 1 }),
	])
}

type Dumped = {
	readonly route_config?: {
		readonly virtual_hosts?: readonly {
			readonly routes: readonly {
				readonly route?: { readonly weighted_clusters?: { readonly clusters: readonly Weighed[] } }
			}[]
		}[]
	}
}
type Weighed = { readonly name: string; readonly weight?: number }

/** Of each route at the proxy, in the order in which they are tried: clusters with their weights. */
async function heldWeights(): Promise<string[]> {
	const dump = (await stage.envoy('web').admin.configDump('dynamic_route_configs')) as readonly Dumped[]
	const hosts = dump.flatMap(({ route_config }) => route_config?.virtual_hosts ?? [])
	const weighed = hosts.flatMap(({ routes }) => routes.map(({ route: to }) => to?.weighted_clusters?.clusters ?? []))
	return weighed.map((clusters) => {
		const sum = clusters.reduce((total, { weight = 0 }) => total + weight, 0)
		const given = clusters.filter(({ weight = 0 }) => weight > 0)
		return given.map(({ name, weight = 0 }) => `${name.split('_')[3]} ${(weight * 100) / sum}`).join(' ')
	})
}

/** Requests of both routes, until `isDone` says so of the newest rollout. */
async function sendUntil(isDone: () => boolean): Promise<void> {
	while (!isDone()) {
		const plain = [...Array(10)].map(() => stage.ask('web', `http://${shop}/`))
		const beta = [...Array(10)].map(() => stage.ask('web', `http://${shop}/`, { headers: { 'x-beta': 'yes' } }))
		await Promise.all([...plain, ...beta])
	}
}

const newest = () => stage.daemon.status().rollouts[0]

async function shift(weights: Weights, ofBeta = weights): Promise<void> {
	writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), shopOf(stage, weights, ofBeta))
	await stage.daemon.poll()
}

/** The new version fails for those who have the header, and for nobody else. */
function failBeta(): void {
	stage.app('cart2').script((exchange: HttpExchange) => {
		exchange.answer(exchange.headers['x-beta'] === undefined ? 200 : 503, { 'x-app': 'cart2' }, 'cart2\n')
	})
}

test('both move together, and what fails on one takes both back', async () => {
	failBeta()
	await shift({ cart: 0, cart2: 1 })
	await eventually('both stand at the first step', async () => {
		return (await heldWeights()).every((weights) => weights === 'cart 50 cart2 50')
	})
	expect(await heldWeights()).toHaveLength(2)
	await sendUntil(() => newest()?.phase === 'rolledBack')
	expect(stage.daemon.status().rollouts).toHaveLength(1)
	expect(newest()).toMatchObject({ id: 'shop#1', clones: 'none', cause: { by: 'guard' }, quarantined: true })
	expect(newest()?.lanes.map(({ routes }) => routes.map((id) => id.split('/').at(-1)))).toEqual([['all', 'beta']])
	expect(await heldWeights()).toEqual(['cart 100', 'cart 100'])
}, 60_000)

test('a version that is good on both becomes that of both', async () => {
	stage.app('cart2').script((exchange: HttpExchange) => exchange.answer(200, { 'x-app': 'cart2' }, 'cart2\n'))
	await shift({ cart: 1, cart2: 3 })
	await sendUntil(() => newest()?.phase === 'succeeded')
	expect(newest()?.id).toBe('shop#2')
	expect(await heldWeights()).toEqual(['cart 25 cart2 75', 'cart 25 cart2 75'])
}, 60_000)

test('routes that go to different shares are told apart by clusters of their own, and arrive together', async () => {
	const clones = new Set<string>()
	await shift({ cart: 1, cart2: 19 }, { cart: 1, cart2: 9 })
	await sendUntil(() => {
		const rollout = newest()
		if (rollout?.id === 'shop#3') clones.add(`${rollout.clones} ${rollout.lanes.length}`)
		return rollout?.id === 'shop#3' && rollout.phase === 'succeeded' && rollout.clones === 'none'
	})
	expect([...clones]).toEqual(expect.arrayContaining(['making 2', 'routed 2', 'leaving 2']))
	expect((await heldWeights()).toSorted()).toEqual(['cart 10 cart2 90', 'cart 5 cart2 95'])
}, 60_000)
