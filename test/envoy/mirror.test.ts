// Before the first percent a canary is sent copies of requests: users wait for none of them, whatever becomes of them, and
// what becomes of them is counted by itself.
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
function services(at: FeaturePlaces, weights: Readonly<Record<string, number>>): string {
	const steps = [
		{ weight: 0, mirror: 50, minDuration: '1s', gate: true },
		{ weight: 50, minDuration: '1s', gate: true },
	]
	const spec = { steps, bake: '1s', warmUp: '0s' }
	return yamlOf([
		mesh(),
		{ kind: 'RolloutPolicy', metadata: { mesh: 'apps', name: 'copies' }, spec },
		node('web', [], { backends: [shop] }),
		...['cart', 'cart2'].map((name) => node(name, [{ port: at.port() }])),
		service(shop, { router: 'shop' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets(weights) } }),
	])
}

describe.for<{ version: EnvoyVersion; block: number }>([
	{ version: '1.40.0', block: 75 },
	{ version: '1.36.2', block: 76 },
])('Envoy $version', ({ version, block }) => {
	let stage: FeatureStage
	/** What users were answered since it was last looked at. */
	let seen: { readonly app: string | undefined; readonly status: number; readonly tookMs: number }[] = []
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
		load = sendAll()
	}, 300_000)
	afterAll(async () => {
		sending = false
		await load
		await stage?.[Symbol.asyncDispose]()
	})

	async function sendAll(): Promise<void> {
		const send = async () => {
			const beganMs = performance.now()
			const { app, status } = await stage.ask('web', `http://${shop}/cart`, { headers: { 'x-user': 'ada' } })
			seen.push({ app, status, tookMs: performance.now() - beganMs })
		}
		while (sending) await Promise.all(Array.from({ length: 6 }, send))
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

	const command = (kind: 'approve' | 'abort' | 'retry') =>
		stage.daemon.command({ kind, rollout: newest().id, actor: 'test', reason: 'test' })
	const mirrorCluster = async () => {
		const clusters = (await stage.envoy('web').admin.configDump('dynamic_active_clusters')) as {
			readonly cluster: { readonly name: string }
		}[]
		return clusters.map(({ cluster }) => cluster.name).find((name) => name.includes('_mirror_')) ?? null
	}
	const script = (receive: (exchange: HttpExchange) => void) => stage.app('cart2').script(receive)
	const isGood = () => seen.every(({ app, status }) => app === 'cart' && status === 200)

	test('copies reach the new version, marked as such, and users only the old one', async () => {
		await shift({ cart: 0, cart2: 1 })
		await eventually('copies were counted', () => newest().beside.requests > 200)
		expect(newest()).toMatchObject({ step: 1, mirror: { standing: 'routed' }, beside: { errors: 0 } })
		const [copy] = stage.app('cart2').received
		expect(copy).toMatchObject({ path: '/cart', headers: { host: `${shop}-shadow`, 'x-user': 'ada' } })
		expect(stage.app('cart2').received.every(({ headers }) => headers.host === `${shop}-shadow`)).toBe(true)
		for (const name of ['cart', 'cart2']) stage.app(name).forget()
		await eventually('more requests came', () => stage.app('cart').received.length > 400)
		const part = stage.app('cart2').received.length / stage.app('cart').received.length
		expect(part).toBeGreaterThan(0.3)
		expect(part).toBeLessThan(0.7)
		expect(isGood()).toBe(true)
		// What the guard reads is raised by copies as by any request.
		const name = await mirrorCluster()
		const counted = await stage.envoy('web').admin.stats(`cluster\\.${name}\\.upstream_rq_(completed|2xx|total)$`)
		expect([...counted.values()].length).toBe(3)
		for (const value of counted.values()) expect(value).toBeGreaterThan(200)
		const about = { proxy: 'mesh/apps/virtualNode/web', method: 'GET', url: `http://${shop}/`, headers: [] }
		const copies = [{ virtualNode: 'mesh/apps/virtualNode/cart2', sharePpm: 500_000 }]
		expect(stage.daemon.explain(about)).toMatchObject({ explained: { hops: [{ taken: { action: { copies } } }] } })

		await eventually('it waits for a person alone', () => newest().holds.every(({ code }) => code === 'GATE'))
		await command('approve')
		await eventually('it has its share', () => newest().step === 2 && newest().confirmed)
		stage.app('cart2').forget()
		await eventually('more requests came', () => stage.app('cart2').received.length > 50)
		await eventually('the cluster of the copies is gone', async () => (await mirrorCluster()) === null)
		expect(newest().mirror).toBe(null)
		expect(seen.every(({ status }) => status === 200)).toBe(true)
		await command('abort')
		await eventually('it is back', () => newest().phase === 'aborted')
	}, 120_000)

	const badApps: readonly { how: string; receive: (exchange: HttpExchange) => void; reason: RegExp }[] = [
		{ how: 'fails', receive: (exchange) => exchange.answer(503, {}, 'no\n'), reason: /cart2:\d+ fails by copies, / },
		{ how: 'never answers', receive: () => {}, reason: /cart2:\d+ answers nothing by copies, / },
	]
	test.for(badApps)('a version that $how is taken back, and no user has noticed', async ({ receive, reason }) => {
		script(receive)
		for (const name of ['cart', 'cart2']) stage.app(name).forget()
		seen = []
		await command('retry')
		await eventually('it is taken back', () => newest().phase === 'rolledBack')
		expect(newest().cause?.reason).toMatch(reason)
		expect(isGood()).toBe(true)
		// None is tried again, though the route's requests would be.
		expect(stage.app('cart2').received.length).toBeLessThan(0.75 * stage.app('cart').received.length)
		expect(Math.max(...seen.map(({ tookMs }) => tookMs))).toBeLessThan(5_000)
	})
})
