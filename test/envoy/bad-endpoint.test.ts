// A canary of which one endpoint fails, and not the version: who is to blame is told by the endpoints' own Envoys.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { readHeldShares } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

const partly = { sharePpm: 450_000, how: { kind: 'answer', status: 503, delayMs: 0 } } as const
let stage: Stage

beforeAll(async () => {
	stage = await openStage({
		block: 82,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'shop2-a': 'shop2', 'shop2-b': 'shop2', 'shop2-c': 'shop2' },
		stepsPercent: [50],
	})
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

test('one bad endpoint holds the rollout and is named; when all of them fail, it is the version', async () => {
	const { daemon } = stage
	stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 300 })
	const bad = stage.app('shop2-b')
	bad.setFailure(partly)
	const rollout = await stage.shift('shop', { shop2: 100 })
	const held = await daemon.until('an endpoint is blamed', ({ rollouts }) => {
		const found = rollouts.find(({ id }) => id === rollout)
		return found?.holds.find(({ code }) => code === 'BAD_ENDPOINT') ?? null
	})
	console.log(held.text)
	expect(held.text).toContain('mesh/apps/virtualNode/shop2#shop2-b')
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 50, shop2: 50 })
	expect(daemon.journal().filter(({ event }) => event === 'rollout.rollingBack')).toEqual([])

	for (const name of ['shop2', 'shop2-c']) stage.app(name).setFailure(partly)
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	expect(back.numbers).toMatchObject({ by: 'guard' })
	await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
})
