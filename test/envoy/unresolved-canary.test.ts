// A commit that shifts to a node whose host name leads nowhere. Envoy ACKs such a cluster, and answers 503 for it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { hostName } from './fixtures/small-mesh.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

let stage: Stage
let load: Load

beforeAll(async () => {
	stage = await openStage({
		block: 42,
		services: ['shop'],
		proxies: { 'front-1': 'front' },
		stepsPercent: [50],
		unresolved: ['shop2'],
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 200 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

test('is held before the first percent, with the names of proxy and host, until the name resolves', async () => {
	const { daemon } = stage
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	const held = await daemon.entry({ event: 'rollout.held', rollout })
	const reason = `${callerKey('front-1')} has no healthy host for ${target('shop2')} (${hostName('shop2')})`
	expect(held).toMatchObject({ reason, numbers: { codes: ['NOT_READY'] } })
	const { text, step, phase } = await daemon.rollout('shop')
	expect({ text, step, phase }).toEqual({ text: `held before the first step: ${reason}`, step: 0, phase: 'held' })
	const { headline } = await daemon.api.status()
	expect(headline).toEqual({ level: 'held', text: `${rollout}: ${text}` })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
	expect(stage.app('shop2').counts().requests).toBe(0)
	expect(load.soFar()).toMatchObject({ failures: {}, notSent: 0 })

	stage.resolve('shop2')
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	await daemon.until('the first step is confirmed', ({ rollouts: [newest] }) => newest?.confirmed || null)
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 50, shop2: 50 })
	const { requests, failures, byApp } = await load.stop()
	expect(failures).toEqual({})
	expect(Object.keys(byApp).toSorted()).toEqual(['shop1', 'shop2'])
	expect(requests).toBeGreaterThan(500)
})

/** As the rollout names a target: virtual node and port. */
function target(node: string): string {
	return `mesh/apps/virtualNode/${node}:${stage.port}`
}
