// A figure that Envoy cannot see, in a real Prometheus, guards a rollout over real Envoys: it is taken back though every
// request is answered with 200, and an outage of Prometheus holds it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPrometheus } from '#lab/find-prometheus.ts'
import type { Load } from '#lab/load.ts'
import { type Prometheus, startPrometheus } from '#lab/prometheus.ts'
import { answerText, type FigureServer, startFigureServer } from '../fakes/figure-server.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

let exporter: FigureServer
let prometheus: Prometheus
let stage: Stage
let load: Load

/** What the application counts, and no proxy can: orders that fail with a 200. */
function expose(failed: number): void {
	const text = `failed_orders{version="shop1"} 0\nfailed_orders{version="shop2"} ${failed}\n`
	exporter.answer(answerText(200, text, { 'content-type': 'text/plain' }))
}

beforeAll(async () => {
	exporter = await startFigureServer()
	expose(0)
	const found = await findPrometheus({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	const target = exporter.origin.replace('http://', '')
	prometheus = await startPrometheus({ prometheus: found.value, target, scrapeMs: 200 })
	stage = await openStage({
		block: 57,
		services: ['shop'],
		proxies: { 'front-1': 'front' },
		stepsPercent: [50],
		settings: `metric-sources: ${prometheus.address}\n`,
	})
	await stage.commit('Guard it by failed orders', {
		'policy.yaml': `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: {mesh: apps, name: short}
spec:
  steps: [{weight: 50, minDuration: 500ms}]
  guards:
    - kind: threshold
      name: failed-orders
      source: {prometheus: {address: "${prometheus.address}", query: 'failed_orders{version=~"{{canary}}"}'}}
      max: 0
      interval: 1s
      window: 1s
      minMeasurements: 2
      breaches: {count: 2, of: 3}
  bake: 500ms
  warmUp: 0s
`,
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 400 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	await prometheus?.[Symbol.asyncDispose]()
	await exporter?.close()
})

const firstStep = (rollout: string) => stage.daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })

test('out of bounds, the rollout goes back though no request fails', async () => {
	const { daemon } = stage
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await firstStep(rollout)
	expose(5)
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	expect(back.reason).toMatch(/^failed-orders: 5 is above 0, 2 of the last [23] measurements$/)
	expect(back.numbers).toMatchObject({ by: 'guard', threshold: 'failed-orders' })
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(confirmed.numbers).toMatchObject({ connected: 1, unreachable: [] })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
	expect(load.soFar()).toMatchObject({ failed: 0, notSent: 0 })
	expect(load.soFar().requests).toBeGreaterThan(100)
})

test('an outage of Prometheus holds; when it is over, the rollout goes on by itself', async () => {
	const { daemon } = stage
	expose(0)
	prometheus.pause()
	const after = daemon.journal().at(-1)?.sequence ?? 0
	await daemon.api.retry((await daemon.rollout('shop')).id, 'orders are mended')
	const rollout = (await daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
	await firstStep(rollout)
	const held = await daemon.until('the outage holds it, and is named', ({ rollouts: [newest] }) => {
		const told = newest?.holds.find(({ code, text }) => code === 'NO_DATA' && text.includes('no answer'))
		return newest?.id === rollout && told !== undefined ? { newest, told } : null
	})
	expect(held.told.text).toBe('failed-orders has no data: no answer within 5 s')
	expect(held.newest).toMatchObject({ phase: 'held', step: 1 })
	expect(await daemon.sluice('rollout', 'show', rollout)).toContain(
		'threshold failed-orders: no data: no answer within 5 s',
	)
	prometheus.resume()
	const done = await daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(done.reason).toContain('shop2 100 %')
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop2: 100 })
	expect(load.soFar().failed).toBe(0)
})
