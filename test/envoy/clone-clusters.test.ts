// Two routes of one caller lead to the same version: only the one under rollout is judged, by clusters of its own.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RolloutStatus } from '#controller/rollout-status.ts'
import type { HttpExchange } from '#lab/http-exchange.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

const shop = 'shop.apps.local'
const desk = 'desk.apps.local'
let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 70,
		apps: ['web', 'cart', 'cart2'],
		proxies: ['web'],
		mesh: (at) => services(at, { cart: 1 }),
	})
})
afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

function services(at: FeaturePlaces, weights: Readonly<Record<string, number>>): string {
	const port = at.port()
	return yamlOf([
		mesh(),
		{
			kind: 'RolloutPolicy',
			metadata: { mesh: 'apps', name: 'quick' },
			spec: { steps: [{ weight: 50, minDuration: '1s' }], bake: '1s', warmUp: '0s' },
		},
		node('web', [], { backends: [{ virtualServiceName: shop }, { virtualServiceName: desk }] }),
		...['cart', 'cart2'].map((name) => node(name, [{ port }])),
		service(shop, { router: 'shop' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets(weights) } }),
		service(desk, { router: 'desk' }),
		router('desk', [{ port: 80 }]),
		route('desk', 'all', { httpRoute: { match: { prefix: '/' }, action: targets({ cart: 1, cart2: 4 }) } }),
	])
}

/** The second version fails for requests to this host, with a status of its own. */
function failFor(host: string): void {
	stage.app('cart2').script((exchange: HttpExchange) => {
		const fails = exchange.headers.host?.startsWith(host) === true
		exchange.answer(fails ? 555 : 200, { 'x-app': 'cart2' }, 'cart2\n')
	})
}

type Played = { readonly rollout: RolloutStatus; readonly statuses: Readonly<Record<string, ReadonlySet<number>>> }

/** Asks for other weights of the shop and sends requests to both services until the shop's clusters are all's again. */
async function play(weights: Readonly<Record<string, number>>, during: () => Promise<void>): Promise<Played> {
	const known = new Set(stage.daemon.status().rollouts.map(({ id }) => id))
	const statuses: Record<string, Set<number>> = { [shop]: new Set(), [desk]: new Set() }
	const send = async (host: string) => statuses[host]?.add((await stage.ask('web', `http://${host}/`)).status)
	const newest = () => stage.daemon.status().rollouts.find(({ id }) => !known.has(id))
	writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), services(stage, weights))
	await stage.daemon.poll()
	let seen: Promise<void> | null = null
	for (;;) {
		await Promise.all([...Array(10)].flatMap(() => [send(shop), send(desk)]))
		const rollout = newest()
		if (rollout?.step === 1) seen ??= during()
		if (rollout === undefined || rollout.endedAt === null || rollout.clones !== 'none') continue
		await seen
		return { rollout, statuses }
	}
}

const clustersHeld = async () => {
	const clusters = (await stage.envoy('web').admin.configDump('dynamic_active_clusters')) as {
		readonly cluster: { readonly name: string }
	}[]
	return clusters.map(({ cluster }) => cluster.name).filter((name) => name.startsWith('cds_egress'))
}
const shared = (name: string) => `cds_egress_apps_${name}_http_${stage.port()}`
const own = (name: string) => `${shared(name)}_rollout_shop_all`

test('what the canary does only on the route under rollout takes it back', async () => {
	failFor(shop)
	const { rollout, statuses } = await play({ cart: 0, cart2: 1 }, async () => {})
	expect(rollout).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' } })
	expect([...(statuses[desk] ?? [])]).toEqual([200])
	expect([...(statuses[shop] ?? [])].sort()).toEqual([200, 555])
	await eventually('its own clusters are gone', async () => (await clustersHeld()).length === 2)
}, 60_000)

test('what another route gets from the canary is not held against it, and no request is lost on the way', async () => {
	failFor(desk)
	const { rollout, statuses } = await play({ cart: 1, cart2: 1 }, async () => {
		expect((await clustersHeld()).sort()).toEqual([shared('cart'), own('cart'), shared('cart2'), own('cart2')].sort())
		expect(await stage.envoy('web').admin.stats(`${own('cart2')}\\.membership_healthy`)).toEqual(
			new Map([[`cluster.${own('cart2')}.membership_healthy`, 1]]),
		)
	})
	expect(rollout).toMatchObject({ phase: 'succeeded', evidence: { canary: { errors: 0 } } })
	expect([...(statuses[shop] ?? [])]).toEqual([200])
	expect([...(statuses[desk] ?? [])].sort()).toEqual([200, 555])
	await eventually('its own clusters are gone', async () => (await clustersHeld()).length === 2)
}, 60_000)
