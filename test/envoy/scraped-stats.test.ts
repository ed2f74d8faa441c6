// Real Envoys that push no counters: the daemon fetches them from their admin interfaces, and judges by them.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

const folder = makeTempDirectory('scrape')
const file = join(folder.path, 'proxies')
const instances = ['front-1', 'front-2']
let stage: Stage
let load: Load

beforeAll(async () => {
	writeFileSync(file, '')
	stage = await openStage({
		block: 58,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50],
		settings: `scrape: ${file}\n`,
		pushesTo: 'nobody',
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 400 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	folder.remove()
})

test('as long as nobody names them they are unwatched, and nothing moves', async () => {
	const { daemon } = stage
	await stage.shift('shop', { shop1: 0, shop2: 100 })
	const held = await daemon.until('it is held', ({ rollouts: [newest] }) => (newest?.phase === 'held' ? newest : null))
	expect(held).toMatchObject({ step: 0 })
	const first = `${callerKey('front-1')} is unwatched, it pushes no counters`
	expect(held.holds).toContainEqual({ code: 'SILENT', text: expect.stringContaining(first) })
	const { groups } = await daemon.api.status()
	expect(groups.flatMap(({ silent }) => silent).sort()).toEqual(instances.map(callerKey))
})

test('named in the file, they are asked: the step is taken, and the proof comes, as with pushed counters', async () => {
	const { daemon } = stage
	const lines = instances.map((instance) => `${callerKey(instance)} ${stage.envoy(instance).adminAddress}`)
	writeFileSync(`${file}.new`, `# written by whoever starts them\n${lines.join('\n')}\n`)
	renameSync(`${file}.new`, file)
	const { id } = await daemon.rollout('shop')
	await daemon.entry({ event: 'rollout.advanced', rollout: id, step: 0 })
	const { canary, baseline } = await daemon.until('it is judged', ({ rollouts: [newest] }) => {
		const evidence = newest?.evidence ?? null
		return evidence !== null && evidence.canary.requests > 200 ? evidence : null
	})
	expect([canary.errors, baseline.errors]).toEqual([0, 0])
	// Each request once: half of those that were sent since the step went to either.
	expect(canary.requests + baseline.requests).toBeLessThanOrEqual(load.soFar().requests)
	await daemon.entry({ event: 'rollout.succeeded', rollout: id })
	expect(await readHeldShares(stage.envoy('front-2'), 'shop')).toEqual({ shop2: 100 })
})

test('the hard limit acts on what is fetched', async () => {
	const { daemon } = stage
	const rollout = await stage.shift('shop', { shop1: 100, shop2: 0 })
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	stage.app('shop1').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	// Its own stream may show it first, or the sum over the fleet, whose rounds end at other moments.
	const { counts } = back.numbers.alarm as { readonly counts: { readonly canary: { readonly errors: number } } }
	expect(back.numbers).toMatchObject({ by: 'guard', alarm: { kind: 'errors' } })
	expect(counts.canary.errors).toBeGreaterThanOrEqual(20)
	await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop2: 100 })
})
