// While a version bakes, the one before it keeps some requests, and is what the comparison goes on with.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RolloutStatus } from '#controller/rollout-status.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

const shop = 'shop.apps.local'
let stage: FeatureStage
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 77,
		apps: ['web', 'cart', 'cart2'],
		proxies: ['web'],
		mesh: (at) => services(at, { cart: 1 }),
	})
}, 300_000)
afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

function services(at: FeaturePlaces, weights: Readonly<Record<string, number>>): string {
	const spec = { steps: [{ weight: 50, minDuration: '1s' }], bake: '3s', holdBack: 10, warmUp: '0s' }
	return yamlOf([
		mesh(),
		{ kind: 'RolloutPolicy', metadata: { mesh: 'apps', name: 'held' }, spec },
		node('web', [], { backends: [shop] }),
		...['cart', 'cart2'].map((name) => node(name, [{ port: at.port() }])),
		service(shop, { router: 'shop' }),
		router('shop', [{ port: 80 }]),
		route('shop', 'all', { httpRoute: { match: { prefix: '/' }, action: targets(weights) } }),
	])
}

test('the old version has a tenth while the new one bakes, is compared with it, and then has nothing', async () => {
	let sending = true
	const statuses = new Set<number>()
	const send = async () => statuses.add((await stage.ask('web', `http://${shop}/`)).status)
	const load = (async () => {
		while (sending) await Promise.all(Array.from({ length: 8 }, send))
	})()
	const newest = (): RolloutStatus | undefined => stage.daemon.status().rollouts[0]
	const baseline = () => newest()?.evidence?.baseline.requests ?? 0
	writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), services(stage, { cart2: 1, cart: 0 }))
	await stage.daemon.poll()
	await eventually('it bakes', () => newest()?.step === 2 && newest()?.confirmed === true)
	expect(newest()).toMatchObject({
		steps: [{ text: '50 %' }, { text: '90 %' }, { text: '100 %' }],
		progress: { minDurationMs: 3_000 },
	})
	const before = baseline()
	await eventually('the baseline is still compared with', () => baseline() > before + 10)
	expect(newest()?.step).toBe(2)
	await eventually('it has all', () => newest()?.step === 3 && newest()?.confirmed === true)
	expect(newest()?.progress.minDurationMs).toBe(0)
	stage.app('cart').forget()
	await eventually('it is done', () => newest()?.phase === 'succeeded')
	expect(stage.app('cart').received).toEqual([])
	sending = false
	await load
	expect([...statuses]).toEqual([200])
}, 120_000)
