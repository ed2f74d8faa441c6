// What a person does to a rollout, by the command line and behind real Envoys: pausing it, freezing everything, and taking
// it back after it has succeeded, with Git gone and a proxy that does not answer.

import { mkdirSync, writeFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { markNow } from '#lab/mark.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { eventually } from './fixtures/eventually.ts'
import { readHeldConfig, readHeldShares } from './fixtures/held-config.ts'
import { routeFile, routeYaml, smallMesh } from './fixtures/small-mesh.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

let stage: Stage
let load: Load

beforeAll(async () => {
	stage = await openStage({
		block: 68,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50],
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 200 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

const reason = ['--reason', 'a test', '--actor', 'dana']
const who = { actor: 'dana', reason: 'a test' }
const held = (instance: string) => readHeldShares(stage.envoy(instance), 'shop')

test('before the merge, plan says how long it takes with the traffic that the daemon counts', async () => {
	using folder = makeTempDirectory('plan')
	const mesh = smallMesh({ services: ['shop'], port: stage.port, stepsPercent: [50], guards: '[{ kind: errors }]' })
	const shifted = { ...mesh, [routeFile('shop')]: routeYaml('shop', { shop1: 0, shop2: 100 }) }
	for (const [name, files] of Object.entries({ base: mesh, shifted })) {
		mkdirSync(join(folder.path, name))
		for (const [file, text] of Object.entries(files)) writeFileSync(join(folder.path, name, file), text)
	}
	const plan = ['plan', join(folder.path, 'shifted'), '--base', join(folder.path, 'base'), '--daemon']
	await eventually('the daemon has counted for long enough', async () => {
		return /at \d+ requests\/s/.test(await stage.daemon.sluice(...plan))
	})
	const told = await stage.daemon.sluice(...plan)
	expect(told).toMatch(/1\. shop1 50 % · shop2 50 %: at least 500ms, about [\d,]+ canary requests for the proof/)
})

test('a paused rollout stays where it is, and the guard takes it back', async () => {
	const { daemon } = stage
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await newest('has its first step', ({ step, confirmed }) => step === 1 && confirmed)
	await daemon.sluice('rollout', 'pause', rollout, ...reason)
	await expect(daemon.sluice('rollout', 'promote', rollout, ...reason)).rejects.toThrow('paused by dana')
	const paused = await newest('is judged while it is paused', ({ evidence }) => evidence !== null)
	expect(paused).toMatchObject({ step: 1, phase: 'paused', pausedBy: who })
	expect(await daemon.sluice('rollout', 'show', rollout)).toContain('paused by dana (a test)')

	stage.app('shop2').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(await held('front-1')).toEqual({ shop1: 100 })
})

test('what is frozen takes no step, a promoted one neither, and goes on when that is lifted', async () => {
	const { daemon } = stage
	stage.app('shop2').heal()
	const after = daemon.journal().at(-1)?.sequence ?? 0
	await daemon.sluice('rollout', 'retry', 'shop/shop#1', ...reason)
	const rollout = (await daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
	await newest('has its first step', ({ id, step, confirmed }) => id === rollout && step === 1 && confirmed)
	await daemon.sluice('freeze', '--route', 'shop/shop', '--for', '1h', ...reason)
	await daemon.sluice('rollout', 'promote', rollout, '--full', ...reason)
	const frozen = await newest('says that it is frozen', ({ holds }) => holds.some(({ code }) => code === 'FROZEN'))
	expect(frozen).toMatchObject({ step: 1, phase: 'held' })
	expect(await held('front-1')).toEqual({ shop1: 50, shop2: 50 })
	await daemon.sluice('unfreeze', '--route', 'shop/shop', ...reason)
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 1 })
	await daemon.promote(rollout)
	await daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(await held('front-2')).toEqual({ shop2: 100 })
})

test('with Git gone and a proxy stopped, a success is taken back, and every request is answered', async () => {
	const { daemon, repository } = stage
	// Then nothing leads to the old version any more, and its cluster leaves the proxies.
	await stage.commit('Forget the old version', { [routeFile('shop')]: routeYaml('shop', { shop2: 100 }) })
	const clusters = async (instance: string) => JSON.stringify((await readHeldConfig(stage.envoy(instance))).clusters)
	for (const instance of ['front-1', 'front-2'])
		await eventually('the old cluster has left', async () => !(await clusters(instance)).includes('shop1'))

	await rename(repository.path, `${repository.path}-gone`)
	await using _ = { [Symbol.asyncDispose]: () => rename(`${repository.path}-gone`, repository.path) }
	await daemon.until('Git is gone', ({ source }) => (source.kind === 'unreachable' ? true : null))
	await daemon.sluice('freeze', ...reason)
	const stopped = stage.envoy('front-2')
	stopped.pause()
	const begun = markNow()
	const said = await daemon.sluice('rollback', 'shop/shop', ...reason)
	expect(said).toContain('shop/shop#2 is taken back to shop1 100 %')
	await eventually('the proxy that answers is back', async () => (await held('front-1')).shop1 === 100)
	console.log(`from the command to the shares before it: ${Math.round(markNow().wallMs - begun.wallMs)} ms`)
	const waiting = await newest('waits for the other', ({ holds }) => holds.some(({ code }) => code === 'NOT_ACKED'))
	expect(waiting).toMatchObject({ phase: 'rollingBack', confirmed: false })
	expect(waiting.holds[0]?.text).toContain(`1 of 2 proxies have confirmed; waiting for ${callerKey('front-2')}`)

	stopped.resume()
	await daemon.entry({ event: 'rollout.rolledBack', rollout: 'shop/shop#2' })
	expect(await held('front-2')).toEqual({ shop1: 100 })
	expect((await load.between(begun, markNow())).failed).toBe(0)
	expect((await daemon.api.status()).heldBack).toMatchObject([
		{ kind: 'shift', reason: expect.stringContaining('quarantine') },
	])
})

test('an abort by a ramp goes down part by part at every proxy, and no request fails', async () => {
	const { daemon } = stage
	const after = daemon.journal().at(-1)?.sequence ?? 0
	await daemon.sluice('unfreeze', ...reason)
	await daemon.sluice('rollout', 'retry', 'shop/shop#2', ...reason)
	const rollout = (await daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
	await newest('has its first step', ({ id, step, confirmed }) => id === rollout && step === 1 && confirmed)
	const begun = markNow()
	const said = await daemon.sluice('rollout', 'abort', rollout, '--ramp', '9s', ...reason)
	expect(said).toContain('goes back by a ramp')
	await expect(daemon.sluice('rollout', 'promote', rollout, ...reason)).rejects.toThrow('goes back by a ramp already')
	for (const instance of ['front-1', 'front-2'])
		await eventually('the first part has come', async () => ((await held(instance)).shop2 ?? 0) < 50)
	expect(await daemon.sluice('rollout', 'show', rollout)).toMatch(/RAMPING DOWN.*\d0 % of the way left/)
	await daemon.entry({ event: 'rollout.aborted', rollout })
	const tookMs = markNow().wallMs - begun.wallMs
	console.log(`from the command to the last ACK of a ramp over 9 s: ${Math.round(tookMs)} ms`)
	const parts = daemon.journal().filter(({ event }) => event === 'rollout.ramping')
	const shares = parts.map(({ numbers }) => numbers.to)
	expect(shares).toEqual([45, 40, 35, 30, 25, 20, 15, 10, 5].map((part) => `shop1 ${100 - part} % · shop2 ${part} %`))
	for (const instance of ['front-1', 'front-2']) expect(await held(instance)).toEqual({ shop1: 100 })
	expect((await load.between(begun, markNow())).failed).toBe(0)
})

/** The newest rollout, as soon as it is like this. */
function newest(what: string, isSo: (rollout: Awaited<ReturnType<Stage['daemon']['rollout']>>) => boolean) {
	return stage.daemon.until(`the rollout ${what}`, ({ rollouts: [rollout] }) => {
		return rollout !== undefined && isSo(rollout) ? rollout : null
	})
}
