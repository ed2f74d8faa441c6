// What no status code of the canary alone tells: it answers slowly, and it fails along with the old version.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { markNow } from '#lab/mark.ts'
import { eventually } from './fixtures/eventually.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

const answer = (status: number, delayMs: number, share = 1) =>
	({ sharePpm: share * 1_000_000, how: { kind: 'answer', status, delayMs } }) as const
let stage: Stage

beforeAll(async () => {
	stage = await openStage({
		block: 84,
		services: ['shop', 'cart'],
		proxies: { 'front-1': 'front' },
		stepsPercent: [50, 75],
		guards: '[{ kind: errors }, { kind: latency }]',
	})
	for (const node of ['shop1', 'cart1', 'cart2']) stage.app(node).setFailure(answer(200, 30))
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

const shares = (service: string) => readHeldShares(stage.envoy('front-1'), service)
const sendLoad = (service: string) => stage.sendLoad({ service, instance: 'front-1', ratePerSecond: 200 })

test('a canary three times as slow goes back, though it fails nothing', { timeout: 180_000 }, async () => {
	const { daemon } = stage
	sendLoad('shop')
	stage.app('shop2').setFailure(answer(200, 90))
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	const begun = markNow()
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	console.log(`taken back after ${Math.round((Date.parse(back.time) - begun.wallMs) / 100) / 10} s: ${back.reason}`)
	expect(back.reason).toMatch(/shop2:\d+: canary .* slower than \d+ ms \(.*\) against baseline/)
	expect(back.numbers).toMatchObject({ by: 'guard', metric: 'latency' })
	await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(await shares('shop')).toEqual({ shop1: 100 })
})

test('an outage of both takes back one step, holds, and goes on by itself', { timeout: 240_000 }, async () => {
	const { daemon } = stage
	sendLoad('cart')
	const rollout = await stage.shift('cart', { cart1: 0, cart2: 100 })
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	await eventually('the first step is held', async () => (await shares('cart')).cart2 === 50)

	for (const node of ['cart1', 'cart2']) stage.app(node).setFailure(answer(503, 0, 0.6))
	const stepped = await daemon.entry({ event: 'rollout.steppedBack', rollout })
	expect(stepped.reason).toMatch(
		/^both fail: canary .* errors .*, baseline .*; from 50 % one step back as a precaution$/,
	)
	await eventually('the canary is back at nothing', async () => (await shares('cart')).cart2 !== 50)
	await daemon.until('it is held', ({ rollouts }) => {
		const newest = rollouts.find(({ id }) => id === rollout)
		return newest?.holds.some(({ code }) => code === 'SHARED_INCIDENT') ? newest : null
	})

	const last = daemon.journal().at(-1)?.sequence ?? 0
	for (const node of ['cart1', 'cart2']) stage.app(node).setFailure(answer(200, 30))
	await daemon.entry({ event: 'rollout.advanced', rollout, after: last, step: 0 })
	await eventually('the first step is held again', async () => (await shares('cart')).cart2 === 50)
	const events = daemon.journal().filter((entry) => entry.rollout === rollout)
	expect(events.map(({ event }) => event)).not.toContain('rollout.rollingBack')
})
