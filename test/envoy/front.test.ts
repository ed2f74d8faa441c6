// A match in front of the shares behind real Envoys: testers reach the new version before anybody else does, at every step,
// and never again once it is taken back. No request fails meanwhile, and theirs are no evidence.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { type CartStage, openCartStage, shop } from './fixtures/cart-stage.ts'
import { eventually } from './fixtures/eventually.ts'

const ways = {
	others: { url: `http://${shop}/`, headers: {} },
	byHeader: { url: `http://${shop}/cart`, headers: { 'x-tester': 'yes' } },
	byQuery: { url: `http://${shop}/?a=b&beta=1`, headers: {} },
}
type Way = keyof typeof ways

const step = { minDuration: '1s', gate: true }
const policy = {
	steps: [
		{ weight: 0, ...step },
		{ weight: 50, ...step },
	],
	front: [{ headers: [{ name: 'X-Tester', match: { exact: 'yes' } }] }, { queryParameters: [{ name: 'beta' }] }],
	bake: '1s',
	warmUp: '0s',
}

describe.for<{ version: EnvoyVersion; block: number }>([
	{ version: '1.40.0', block: 73 },
	{ version: '1.36.2', block: 74 },
])('Envoy $version', ({ version, block }) => {
	let cart: CartStage
	/** What each way was answered since it was last looked at. */
	let seen: Record<Way, { app: string | undefined; status: number }[]>
	let sending = true
	let load: Promise<void>

	beforeAll(async () => {
		cart = await openCartStage({ block, policy, envoyVersion: version })
		forget()
		load = sendAll()
	}, 300_000)
	afterAll(async () => {
		sending = false
		await load
		await cart?.[Symbol.asyncDispose]()
	})

	function forget(): void {
		seen = { others: [], byHeader: [], byQuery: [] }
	}

	/** Testers send three times as many requests as all others. */
	async function sendAll(): Promise<void> {
		const send = async (way: Way) => {
			const { url, headers } = ways[way]
			const { app, status } = await cart.stage.ask('web', url, { headers })
			seen[way].push({ app, status })
		}
		while (sending) await Promise.all((['others', 'byHeader', 'byQuery', 'byHeader'] as const).map(send))
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
	const newest = () => cart.newest()

	test('testers reach the new version whatever the weights, and the old one once it is taken back', async () => {
		await cart.shift({ cart: 0, cart2: 1 })
		await confirmed(1)
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart'], ['cart2'], ['cart2']])
		expect(failed()).toEqual([])
		expect(newest()).toMatchObject({
			steps: [{ text: 'no share' }, {}, {}],
			front: { standing: 'routed' },
			beside: { errors: 0 },
		})
		expect(await cart.clustersWith('_front_')).toHaveLength(1)
		const about = { proxy: 'mesh/apps/virtualNode/web', method: 'GET', url: ways.byHeader.url }
		const said = cart.stage.daemon.explain({ ...about, headers: [{ name: 'x-tester', value: 'yes' }] })
		const taken = { name: 'all', frontOf: 'mesh/apps/virtualRouter/shop/route/all' }
		const destinations = [{ virtualNode: 'mesh/apps/virtualNode/cart2', sharePpm: 1_000_000 }]
		expect(said).toMatchObject({ explained: { hops: [{ taken }], outcome: { kind: 'forwarded', destinations } } })

		await eventually('it waits for a person alone', () => newest().holds.every(({ code }) => code === 'GATE'))
		await cart.command('approve')
		await confirmed(2)
		await eventually('a thousand requests were told, and a look was taken', () => {
			return newest().beside.requests > 1_000 && newest().evidence !== null
		})
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart', 'cart2'], ['cart2'], ['cart2']])
		expect(failed()).toEqual([])
		const { evidence, holds, beside } = newest()
		expect(holds.map(({ code }) => code)).not.toContain('WEIGHTS_NOT_APPLIED')
		expect(evidence?.canary.requests).toBeLessThan(beside.requests / 2)

		await cart.command('abort')
		await eventually('it is back', () => newest().phase === 'aborted')
		await afterInFlight()
		expect([appsOf('others'), appsOf('byHeader'), appsOf('byQuery')]).toEqual([['cart'], ['cart'], ['cart']])
		expect(failed()).toEqual([])
		await eventually('its clusters are gone', async () => (await cart.clustersWith('_front_')).length === 0)
	}, 120_000)

	test('a version that fails for testers alone is taken back before anybody else has it', async () => {
		cart.stage.app('cart2').script((exchange: HttpExchange) => exchange.answer(555, { 'x-app': 'cart2' }, 'no\n'))
		await cart.command('retry')
		await eventually('it is taken back', () => newest().phase === 'rolledBack')
		expect(newest()).toMatchObject({ cause: { by: 'guard' }, steps: [{ canarySharePpm: 0 }, {}, {}] })
		expect(newest().cause?.reason).toContain('fails by what is in front')
		expect(seen.others.filter(({ status }) => status !== 200)).toEqual([])
	}, 60_000)
})
