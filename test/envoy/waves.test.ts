// A change that is none of weights, behind real Envoys: a bad one reaches one proxy and is gone, a good one reaches all.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { markNow } from '#lab/mark.ts'
import { eventually } from './fixtures/eventually.ts'
import { routeFile, routeYaml } from './fixtures/small-mesh.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

const instances = ['front-1', 'front-2', 'front-3', 'front-4']
let stage: Stage
let loads: readonly Load[]

beforeAll(async () => {
	const proxies = Object.fromEntries(instances.map((instance) => [instance, 'front']))
	stage = await openStage({ block: 85, services: ['shop'], proxies, stepsPercent: [50] })
	const from = stage.daemon.journal().at(-1)?.sequence ?? 0
	await stage.commit('Change by waves', { 'waves.yaml': wavesPolicy })
	await stage.daemon.entry({ event: 'mesh.applied', after: from })
	loads = instances.map((instance) => stage.sendLoad({ service: 'shop', instance, ratePerSecond: 50 }))
	await eventually('requests pass everywhere', () => loads.every((load) => load.soFar().requests > 50))
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

const wavesPolicy = `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: {mesh: apps, name: a-waves}
spec: {match: {}, waves: {shares: [50], minDuration: 3s}, bake: 1s, warmUp: 0s}
`

/** The route of the shop with a timeout, which each caller's proxy keeps. */
const withTimeout = (ms: number) => ({
	[routeFile('shop')]: routeYaml('shop', { shop1: 100 }).replace(
		'http2Route: {',
		`http2Route: { timeout: { perRequest: { unit: ms, value: ${ms} } },`,
	),
})

/** Proxies whose egress routes have a timeout of so many milliseconds, by instance. */
async function havingTimeout(ms: number): Promise<string[]> {
	const found = await Promise.all(
		instances.map(async (instance) => {
			const dump = JSON.stringify(await stage.envoy(instance).admin.configDump())
			return dump.includes(`"timeout":"${ms / 1000}s"`) ? [instance] : []
		}),
	)
	return found.flat()
}

async function startWaves(message: string, ms: number): Promise<string> {
	const after = stage.daemon.journal().at(-1)?.sequence ?? 0
	await stage.commit(message, withTimeout(ms))
	return (await stage.daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
}

test('a change that breaks requests is taken back from the one proxy that had it', async () => {
	const { daemon } = stage
	const begun = markNow()
	stage.app('shop1').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 200, delayMs: 40 } })
	const rollout = await startWaves('No patience', 5)
	expect(rollout).toMatch(/^apps\/waves#/)
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(back.numbers).toMatchObject({ by: 'guard', from: 'changed at one proxy' })
	expect(confirmed.numbers).toMatchObject({ connected: 4, unreachable: [] })
	expect(await havingTimeout(5)).toEqual([])
	const failed = await Promise.all(loads.map(async (load) => (await load.between(begun, markNow())).failed))
	expect(failed.filter((count) => count > 0)).toHaveLength(1)
	const { heldBack } = await daemon.api.status()
	expect(heldBack).toMatchObject([
		{ kind: 'replace', reason: expect.stringContaining(`in quarantine since rollout ${rollout}`) },
	])
	stage.app('shop1').heal()
})

test('a change after which requests find no route is taken back as well', async () => {
	const { daemon } = stage
	const after = daemon.journal().at(-1)?.sequence ?? 0
	const narrow = routeYaml('shop', { shop1: 100 }).replace('match: { prefix: / }', 'match: { prefix: /elsewhere }')
	await stage.commit('Match less', { [routeFile('shop')]: narrow })
	const rollout = (await daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	expect(back.numbers).toMatchObject({ by: 'guard', from: 'changed at one proxy' })
	await daemon.entry({ event: 'rollout.rolledBack', rollout })
})

test('a change that does no harm reaches one proxy, then some, then all, and no request fails', async () => {
	const { daemon } = stage
	const begun = markNow()
	const rollout = await startWaves('Some patience', 4000)
	const had: number[] = []
	for (const step of [0, 1, 2]) {
		await daemon.entry({ event: 'rollout.advanced', rollout, step })
		await daemon.until(`wave ${step + 1} is confirmed`, ({ rollouts: [newest] }) => {
			return newest?.step === step + 1 && newest.confirmed ? true : null
		})
		had.push((await havingTimeout(4000)).length)
	}
	await daemon.entry({ event: 'rollout.succeeded', rollout })
	expect([had[0], had[2]]).toEqual([1, 4])
	expect(had[1]).toBeGreaterThanOrEqual(1)
	expect((await daemon.api.status()).headline.level).toBe('settled')
	for (const load of loads) expect((await load.between(begun, markNow())).failed).toBe(0)
	const updates = await stage.envoy('front-1').admin.stats('update_rejected$')
	expect([...updates.values()].every((count) => count === 0)).toBe(true)
	expect(callerKey('front-1')).toContain('#front-1')
})
