// Hooks over real HTTP beside real Envoys: a gate that says no and then yes, one that is asked again after a crash, and a
// canary that fails while every hook hangs.
import { createHmac } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { answerJson, answerText, type FigureServer, startFigureServer } from '../fakes/figure-server.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

const key = 'a-key-of-thirty-two-characters!!'
const secrets = makeTempDirectory('hook-secrets')

type Call = {
	readonly id: string
	readonly body: { readonly point: string; readonly event?: { readonly event: string } }
}

let receiver: FigureServer
let stage: Stage
let load: Load
/** What came in, each with a signature that is right. */
const calls: Call[] = []
/** What each point is answered; `hangs`: nothing. */
const answers: Record<string, 'yes' | 'no' | 'hangs'> = {}

function take(request: IncomingMessage): Call {
	const body = receiver.body()
	const { 'webhook-id': id = '', 'webhook-timestamp': time = '', 'webhook-signature': signature } = request.headers
	const wanted = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')
	expect(signature).toBe(`v1,${wanted}`)
	expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(60)
	const call: Call = { id: String(id), body: JSON.parse(body) }
	calls.push(call)
	return call
}

function policyOf(hooks: readonly string[]): string {
	const written = hooks.map(
		(point) => `{name: ${point}, point: ${point}, url: "${receiver.origin}/${point}", secret: ci, interval: 1s}`,
	)
	return `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: {mesh: apps, name: short}
spec:
  steps: [{weight: 50, minDuration: 500ms}]
  hooks: [${written.join(', ')}]
  bake: 500ms
  warmUp: 0s
`
}

beforeAll(async () => {
	receiver = await startFigureServer()
	receiver.answer((request, response) => {
		const { body } = take(request)
		const said = answers[body.point] ?? 'yes'
		if (said === 'no') answerJson(403, { reason: 'CHG-1 is not approved' })(request, response)
		if (said === 'yes') answerText(204, '')(request, response)
	})
	mkdirSync(join(secrets.path, 'ci'))
	writeFileSync(join(secrets.path, 'ci', 'secret'), `${key}\n`)
	stage = await openStage({
		block: 86,
		services: ['shop'],
		proxies: { 'front-1': 'front' },
		stepsPercent: [50],
		settings: `hook-receivers: ${receiver.origin}=ci\nhook-secrets: ${secrets.path}\n`,
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 400 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
	await receiver?.close()
	secrets[Symbol.dispose]()
})

const callsOf = (point: string) => calls.filter(({ body }) => body.point === point)

test('a gate that says no holds the first percent, after a crash too; with its yes the rollout goes through', async () => {
	const { daemon } = stage
	answers.start = 'no'
	await stage.commit('Ask first', { 'policy.yaml': policyOf(['start', 'promotion', 'ended', 'event']) })
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	const held = async () => {
		const told = await daemon.until('the gate holds it', ({ rollouts: [newest] }) =>
			newest?.id === rollout && newest.holds[0]?.code === 'HOOK' ? newest : null,
		)
		expect(told.holds).toEqual([{ code: 'HOOK', text: 'start: CHG-1 is not approved' }])
	}
	await held()
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
	await daemon.kill()
	await daemon.start()
	await held()
	expect(new Set(callsOf('start').map(({ id }) => id)).size, 'the same id for the same step').toBe(1)

	answers.start = 'yes'
	const opened = await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	const done = await daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(callsOf('promotion')).toHaveLength(1)
	const told = await daemon.entry({ event: 'rollout.hook', rollout, after: done.sequence })
	expect(told.reason).toBe('ended was told of the end')
	expect(callsOf('ended').map(({ body }) => body)).toMatchObject([{ rollout: { id: rollout, phase: 'succeeded' } }])
	const heard = callsOf('event').map(({ body }) => body.event?.event)
	expect(heard).toEqual(expect.arrayContaining(['rollout.started', 'rollout.advanced', 'rollout.succeeded']))
	expect(opened.sequence).toBeLessThan(done.sequence)
	expect(await daemon.sluice('rollout', 'show', rollout)).toContain('start allows step 1')
	expect(load.soFar()).toMatchObject({ failed: 0 })
})

test('a canary that fails goes back at once while every hook hangs', async () => {
	const { daemon } = stage
	for (const point of ['watch', 'promotion', 'ended', 'event']) answers[point] = 'hangs'
	await stage.commit('Watch it', { 'policy.yaml': policyOf(['watch', 'promotion', 'ended', 'event']) })
	const rollout = await stage.shift('shop', { shop1: 100, shop2: 0 })
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 0 })
	const beganMs = Date.now()
	stage.app('shop1').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	const back = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	console.log(`${Date.now() - beganMs} ms from the first bad answer to the last ACK, with hanging hooks`)
	expect(back.numbers).toMatchObject({ connected: 1, unreachable: [] })
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop2: 100 })
	expect(Date.now() - beganMs).toBeLessThan(9_000)
	expect(callsOf('watch').length).toBeGreaterThan(0)
})
