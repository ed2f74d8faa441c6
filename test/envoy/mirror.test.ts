// Before the first percent a canary is sent copies of requests: users wait for none of them, whatever becomes of them, and
// what becomes of them is counted by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { type CartStage, openCartStage, shop } from './fixtures/cart-stage.ts'
import { eventually } from './fixtures/eventually.ts'

const policy = {
	steps: [
		{ weight: 0, mirror: 50, minDuration: '1s', gate: true },
		{ weight: 50, minDuration: '1s', gate: true },
	],
	bake: '1s',
	warmUp: '0s',
}

describe.for<{ version: EnvoyVersion; block: number }>([
	{ version: '1.40.0', block: 75 },
	{ version: '1.36.2', block: 76 },
])('Envoy $version', ({ version, block }) => {
	let cart: CartStage
	/** What users were answered since it was last looked at. */
	let seen: { readonly app: string | undefined; readonly status: number; readonly tookMs: number }[] = []
	let sending = true
	let load: Promise<void>

	beforeAll(async () => {
		cart = await openCartStage({ block, policy, envoyVersion: version })
		load = sendAll()
	}, 300_000)
	afterAll(async () => {
		sending = false
		await load
		await cart?.[Symbol.asyncDispose]()
	})

	async function sendAll(): Promise<void> {
		const send = async () => {
			const beganMs = performance.now()
			const { app, status } = await cart.stage.ask('web', `http://${shop}/cart`, { headers: { 'x-user': 'ada' } })
			seen.push({ app, status, tookMs: performance.now() - beganMs })
		}
		while (sending) await Promise.all(Array.from({ length: 6 }, send))
	}

	const newest = () => cart.newest()
	const mirrorCluster = async () => (await cart.clustersWith('_mirror_'))[0] ?? null
	const script = (receive: (exchange: HttpExchange) => void) => cart.stage.app('cart2').script(receive)
	const isGood = () => seen.every(({ app, status }) => app === 'cart' && status === 200)

	test('copies reach the new version, marked as such, and users only the old one', async () => {
		await cart.shift({ cart: 0, cart2: 1 })
		await eventually('copies were counted', () => newest().beside.requests > 200)
		expect(newest()).toMatchObject({ step: 1, mirror: { standing: 'routed' }, beside: { errors: 0 } })
		const [copy] = cart.stage.app('cart2').received
		expect(copy).toMatchObject({ path: '/cart', headers: { host: `${shop}-shadow`, 'x-user': 'ada' } })
		expect(cart.stage.app('cart2').received.every(({ headers }) => headers.host === `${shop}-shadow`)).toBe(true)
		for (const name of ['cart', 'cart2']) cart.stage.app(name).forget()
		await eventually('more requests came', () => cart.stage.app('cart').received.length > 400)
		const part = cart.stage.app('cart2').received.length / cart.stage.app('cart').received.length
		expect(part).toBeGreaterThan(0.3)
		expect(part).toBeLessThan(0.7)
		expect(isGood()).toBe(true)
		// What the guard reads is raised by copies as by any request.
		const name = await mirrorCluster()
		const counted = await cart.stage.envoy('web').admin.stats(`cluster\\.${name}\\.upstream_rq_(completed|2xx|total)$`)
		expect([...counted.values()].length).toBe(3)
		for (const value of counted.values()) expect(value).toBeGreaterThan(200)
		const about = { proxy: 'mesh/apps/virtualNode/web', method: 'GET', url: `http://${shop}/`, headers: [] }
		const copies = [{ virtualNode: 'mesh/apps/virtualNode/cart2', sharePpm: 500_000 }]
		expect(cart.stage.daemon.explain(about)).toMatchObject({ explained: { hops: [{ taken: { action: { copies } } }] } })

		await eventually('it waits for a person alone', () => newest().holds.every(({ code }) => code === 'GATE'))
		await cart.command('approve')
		await eventually('it has its share', () => newest().step === 2 && newest().confirmed)
		cart.stage.app('cart2').forget()
		await eventually('more requests came', () => cart.stage.app('cart2').received.length > 50)
		await eventually('the cluster of the copies is gone', async () => (await mirrorCluster()) === null)
		expect(newest().mirror).toBe(null)
		expect(seen.every(({ status }) => status === 200)).toBe(true)
		await cart.command('abort')
		await eventually('it is back', () => newest().phase === 'aborted')
	}, 120_000)

	const badApps: readonly { how: string; receive: (exchange: HttpExchange) => void; reason: RegExp }[] = [
		{ how: 'fails', receive: (exchange) => exchange.answer(503, {}, 'no\n'), reason: /cart2:\d+ fails by copies, / },
		{ how: 'never answers', receive: () => {}, reason: /cart2:\d+ answers nothing by copies, / },
	]
	test.for(badApps)('a version that $how is taken back, and no user has noticed', async ({ receive, reason }) => {
		script(receive)
		for (const name of ['cart', 'cart2']) cart.stage.app(name).forget()
		seen = []
		await cart.command('retry')
		await eventually('it is taken back', () => newest().phase === 'rolledBack')
		expect(newest().cause?.reason).toMatch(reason)
		expect(isGood()).toBe(true)
		// None is tried again, though the route's requests would be.
		expect(cart.stage.app('cart2').received.length).toBeLessThan(0.75 * cart.stage.app('cart').received.length)
		expect(Math.max(...seen.map(({ tookMs }) => tookMs))).toBeLessThan(5_000)
	})
})
