// A match in front of the shares behind real Envoys: testers reach the new version before anybody else does, at every step,
// and never again once it is taken back. No request fails meanwhile, and theirs are no evidence.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutStatus } from '#controller/rollout-status.ts'
import type { HttpExchange } from '#lab/http-exchange.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

const shop = 'shop.apps.local'
const ways = {
	others: { url: `http://${shop}/`, headers: {} },
	byHeader: { url: `http://${shop}/cart`, headers: { 'x-tester': 'yes' } },
	byQuery: { url: `http://${shop}/?a=b&beta=1`, headers: {} },
}
type Way = keyof typeof ways

function services(at: FeaturePlaces, weights: Readonly<Record<string, number>>): string {
	const step = { minDuration: '1s', gate: true }
	const spec = {
		steps: [
			{ weight: 0, ...step },
			{ weight: 50, ...step },
		],
		front: [{ headers: [{ name: 'X-Tester', match: { exact: 'yes' } }] }, { queryParameters: [{ name: 'beta' }] }],
		bake: '1s',
		warmUp: '0s',
	}
	return yamlOf([
		mesh(),
		{ kind: 'RolloutPolicy', metadata: { mesh: 'apps', name: 'testers' }, spec },
		node('web', [], { backends: [shop] }),
		...['cart', 'cart2'].map((name) => node(name, [{ port: at.port() }])),
		service(shop, { router: 'shop' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets(weights) } }),
	])
}

describe.for<{ version: EnvoyVersion; block: number }>([
	{ version: '1.40.0', block: 73 },
	{ version: '1.36.2', block: 74 },
])('Envoy $version', ({ version, block }) => {
	let stage: FeatureStage
	/** What each way was answered since it was last looked at. */
	let seen: Record<Way, { app: string | undefined; status: number }[]>
	let sending = true
	let load: Promise<void>

	beforeAll(async () => {
		stage = await openFeatureStage({
			block,
			apps: ['web', 'cart', 'cart2'],
			proxies: ['web'],
			envoyVersion: version,
			mesh: (at) => services(at, { cart: 1 }),
		})
		forget()
		load = sendAll()
	}, 300_000)
	afterAll(async () => {
		sending = false
		await load
		await stage?.[Symbol.asyncDispose]()
	})

	function forget(): void {
		seen = { others: [], byHeader: [], byQuery: [] }
	}

	/** Testers send three times as many requests as all others. */
	async function sendAll(): Promise<void> {
		const send = async (way: Way) => {
			const { url, headers } = ways[way]
			const { app, status } = await stage.ask('web', url, { headers })
			seen[way].push({ app, status })
		}
		while (sending) await Promise.all((['others', 'byHeader', 'byQuery', 'byHeader'] as const).map(send))
	}

	const newest = (): RolloutStatus => {
		const rollout = stage.daemon.status().rollouts[0]
		if (rollout === undefined) throw new Error('there is a rollout')
		return rollout
	}

	async function shift(weights: Readonly<Record<string, number>>): Promise<void> {
		const known = stage.daemon.status().rollouts.length
		writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), services(stage, weights))
		await stage.daemon.poll()
		await eventually('it has begun', () => stage.daemon.status().rollouts.length > known)
	}

	async function confirmed(step: number): Promise<void> {
		await eventually(`step ${step} is confirmed`, () => newest().step === step && newest().confirmed)
		await afterInFlight()
	}

	/** Forgets what was sent before now, and waits for so many answers of each way. */
	async function afterInFlight(answers = 60): Promise<void> {
		forget()
		await eventually('what was in flight is answered', () => seen.others.length > 3)
		forget()
		await eventually('requests were answered', () => Object.values(seen).every((way) => way.length >= answers))
	}

	const appsOf = (way: Way) => [...new Set(seen[way].map(({ app }) => app))].sort()
	const failed = () => Object.values(seen).flatMap((all) => all.filter(({ status }) => status !== 200))
	const command = (kind: 'approve' | 'abort' | 'retry') =>
		stage.daemon.command({ kind, rollout: newest().id, actor: 'test', reason: 'test' })
	const frontClusters = async () => {
		const clusters = (await stage.envoy('web').admin.configDump('dynamic_active_clusters')) as {
			readonly cluster: { readonly name: string }
		}[]
		return clusters.map(({ cluster }) => cluster.name).filter((name) => name.includes('_front_'))
	}

	test('testers reach the new version whatever the weights, and the old one once it is taken back', async () => {
		await shift({ cart: 0, cart2: 1 })
		await confirmed(1)
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart'], ['cart2'], ['cart2']])
		expect(failed()).toEqual([])
		expect(newest()).toMatchObject({
			steps: [{ text: 'no share' }, {}, {}],
			front: { standing: 'routed' },
			beside: { errors: 0 },
		})
		expect(await frontClusters()).toHaveLength(1)
		const about = { proxy: 'mesh/apps/virtualNode/web', method: 'GET', url: ways.byHeader.url }
		const said = stage.daemon.explain({ ...about, headers: [{ name: 'x-tester', value: 'yes' }] })
		const taken = { name: 'all', frontOf: 'mesh/apps/virtualRouter/shop/route/all' }
		const destinations = [{ virtualNode: 'mesh/apps/virtualNode/cart2', sharePpm: 1_000_000 }]
		expect(said).toMatchObject({ explained: { hops: [{ taken }], outcome: { kind: 'forwarded', destinations } } })

		await eventually('it waits for a person alone', () => newest().holds.every(({ code }) => code === 'GATE'))
		await command('approve')
		await confirmed(2)
		await eventually('a thousand requests were told, and a look was taken', () => {
			return newest().beside.requests > 1_000 && newest().evidence !== null
		})
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart', 'cart2'], ['cart2'], ['cart2']])
		expect(failed()).toEqual([])
		const { evidence, holds, beside } = newest()
		expect(holds.map(({ code }) => code)).not.toContain('WEIGHTS_NOT_APPLIED')
		expect(evidence?.canary.requests).toBeLessThan(beside.requests / 2)

		await command('abort')
		await eventually('it is back', () => newest().phase === 'aborted')
		await afterInFlight()
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart'], ['cart'], ['cart']])
		expect(failed()).toEqual([])
		await eventually('its clusters are gone', async () => (await frontClusters()).length === 0)
	}, 120_000)

	test('a version that fails for testers alone is taken back before anybody else has it', async () => {
		stage.app('cart2').script((exchange: HttpExchange) => exchange.answer(555, { 'x-app': 'cart2' }, 'no\n'))
		await command('retry')
		await eventually('it is taken back', () => newest().phase === 'rolledBack')
		expect(newest()).toMatchObject({ cause: { by: 'guard' }, steps: [{ canarySharePpm: 0 }, {}, {}] })
		expect(newest().cause?.reason).toContain('fails by what is in front')
		expect(seen.others.filter(({ status }) => status !== 200)).toEqual([])
	}, 60_000)
})
