// A real Envoy that nobody counts for: what a policy says instead is gone by, and nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerJson, type FigureServer, startFigureServer } from '../fakes/figure-server.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

let server: FigureServer
let stage: Stage

beforeAll(async () => {
	server = await startFigureServer()
	stage = await openStage({
		block: 56,
		services: ['shop'],
		proxies: { 'front-1': 'front' },
		stepsPercent: [50],
		settings: `metric-sources: ${server.origin}\n`,
		pushesTo: 'nobody',
	})
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	await server?.close()
})

const policy = (guards: string) => `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: {mesh: apps, name: short}
spec:
  steps: [{weight: 50, minDuration: 500ms}]
  ${guards}
  bake: 500ms
  warmUp: 0s
`

test('unguarded, the steps wait for time and ACKs alone', async () => {
	await stage.commit('Say that nothing guards', { 'policy.yaml': policy('unguarded: true\n  reason: a toy') })
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await stage.daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop2: 100 })
})

test('with a threshold alone, its figures take each step', async () => {
	const source = `{http: {url: "${server.origin}/failures.json", value: /share}}`
	const numbers = 'max: 0.1, interval: 1s, window: 1s, minMeasurements: 2, breaches: {count: 2, of: 3}'
	await stage.commit('Guard it by a document', {
		'policy.yaml': policy(`guards: [{kind: threshold, name: failures, source: ${source}, ${numbers}}]`),
	})
	server.answer(answerJson(200, { share: 0.05 }))
	const rollout = await stage.shift('shop', { shop1: 100, shop2: 0 })
	await stage.daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
})

test('no figure holds, a bad one takes it back', async () => {
	const { daemon } = stage
	server.answer(answerJson(503, {}))
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	const text = `failures has no data: ${server.origin} answers 503`
	await daemon.until('no data holds it', ({ rollouts: [newest] }) => {
		return newest?.id === rollout && newest.holds.some((hold) => hold.text === text) ? newest : null
	})
	server.answer(answerJson(200, { share: 0.5 }))
	const back = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(back.reason).toContain('failures: 0.5 is above 0.1, 2 of the last 2 measurements')
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
})
