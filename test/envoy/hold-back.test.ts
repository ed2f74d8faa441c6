// While a version bakes, the one before it keeps some requests, and is what the comparison goes on with.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CartStage, openCartStage, shop } from './fixtures/cart-stage.ts'
import { eventually } from './fixtures/eventually.ts'

let cart: CartStage
beforeAll(async () => {
	const policy = { steps: [{ weight: 50, minDuration: '1s' }], bake: '3s', holdBack: 10, warmUp: '0s' }
	cart = await openCartStage({ block: 77, policy })
}, 300_000)
afterAll(async () => {
	await cart?.[Symbol.asyncDispose]()
})

test('the old version has a tenth while the new one bakes, is compared with it, and then has nothing', async () => {
	let sending = true
	const statuses = new Set<number>()
	const send = async () => statuses.add((await cart.stage.ask('web', `http://${shop}/`)).status)
	const load = (async () => {
		while (sending) await Promise.all(Array.from({ length: 8 }, send))
	})()
	const newest = () => cart.newest()
	const baseline = () => newest().evidence?.baseline.requests ?? 0
	await cart.shift({ cart2: 1, cart: 0 })
	await eventually('it bakes', () => newest().step === 2 && newest().confirmed === true)
	expect(newest()).toMatchObject({
		steps: [{ text: '50 %' }, { text: '90 %' }, { text: '100 %' }],
		progress: { minDurationMs: 3_000 },
	})
	const before = baseline()
	await eventually('the baseline is still compared with', () => baseline() > before + 10)
	expect(newest().step).toBe(2)
	await eventually('it has all', () => newest().step === 3 && newest().confirmed === true)
	expect(newest().progress.minDurationMs).toBe(0)
	cart.stage.app('cart').forget()
	await eventually('it is done', () => newest().phase === 'succeeded')
	expect(cart.stage.app('cart').received).toEqual([])
	sending = false
	await load
	expect([...statuses]).toEqual([200])
}, 120_000)
