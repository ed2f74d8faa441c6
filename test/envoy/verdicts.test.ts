// What real Envoys make of a canary in trouble, and of trouble that is not the canary's: each gets the right verdict.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AppFailure } from '#lab/app-failure.ts'
import type { JournalTold } from '#lab/demo/daemon-api.ts'
import { markNow } from '#lab/mark.ts'
import { eventually } from './fixtures/eventually.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { routeFile, routeYaml } from './fixtures/small-mesh.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

const every = 1_000_000
const resets: AppFailure = { sharePpm: every, how: { kind: 'reset' } }
const late: AppFailure = { sharePpm: every, how: { kind: 'answer', status: 200, delayMs: 5_000 } }
const hangs: AppFailure = { sharePpm: every, how: { kind: 'hang' } }
const seventh: AppFailure = { sharePpm: every / 7, how: { kind: 'answer', status: 503, delayMs: 0 } }
let stage: Stage

beforeAll(async () => {
	stage = await openStage({
		block: 81,
		services: ['reset', 'late', 'hung', 'retried', 'idle', 'quiet', 'again'],
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50],
	})
	const after = stage.daemon.journal().at(-1)?.sequence ?? 0
	await stage.commit('Give one route a timeout, and let another retry', {
		[routeFile('late')]: withSpec('late', timeout),
		[routeFile('retried')]: withSpec('retried', retries),
	})
	await stage.daemon.entry({ event: 'mesh.applied', after })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

const timeout = 'timeout: { perRequest: { unit: ms, value: 300 } }'
const retries =
	'retryPolicy: { maxRetries: 3, perRetryTimeout: { unit: s, value: 1 }, httpRetryEvents: [server-error] }'
const shares = (service: string, instance = 'front-1') => readHeldShares(stage.envoy(instance), service)
const loadOf = (service: string) => stage.sendLoad({ service, instance: 'front-1', ratePerSecond: 200 })

function withSpec(service: string, more: string, second = 0): string {
	const weights = { [`${service}1`]: 100 - second, ...(second === 0 ? {} : { [`${service}2`]: second }) }
	return routeYaml(service, weights).replace('http2Route: { ', `http2Route: { ${more}, `)
}

/** Shifts all of a service to its second version, and waits for the first step. */
async function toFirstStep(service: string, file: string): Promise<string> {
	const after = stage.daemon.journal().at(-1)?.sequence ?? 0
	await stage.commit(`Shift ${service}`, { [routeFile(service)]: file })
	const rollout = (await stage.daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
	await stage.daemon.until('the first step is confirmed', ({ rollouts }) => {
		const found = rollouts.find(({ id }) => id === rollout)
		return found?.step === 1 && found.confirmed ? found : null
	})
	return rollout
}

/** Breaks the second version at the first step; gives the records of the way back, told with its time. */
async function breakAtStep(service: string, failure: AppFailure, file = routeYaml(service, { [`${service}2`]: 100 })) {
	const load = loadOf(service)
	await eventually('requests pass', () => load.soFar().requests > 20)
	const rollout = await toFirstStep(service, file)
	const broken = markNow()
	stage.app(`${service}2`).setFailure(failure)
	const back = await stage.daemon.entry({ event: 'rollout.rollingBack', rollout })
	const confirmed = await stage.daemon.entry({ event: 'rollout.rolledBack', rollout })
	for (const instance of ['front-1', 'front-2'])
		expect(await shares(service, instance)).toEqual({ [`${service}1`]: 100 })
	const took = Date.parse(confirmed.time) - broken.wallMs
	console.log(`${service}: ${Math.round(took / 100) / 10} s from its first bad request to the last ACK: ${back.reason}`)
	return { back, load, broken }
}

const alarmKind = ({ numbers }: JournalTold) => (numbers.alarm as { readonly kind: string } | undefined)?.kind

test('a canary that resets its streams goes back by the hard limit', async () => {
	const { back, load, broken } = await breakAtStep('reset', resets)
	expect(alarmKind(back)).toBe('errors')
	expect(Object.keys((await load.between(broken, markNow())).failures)).toEqual(['503'])
})

test('a canary that answers after the timeout goes back by the hard limit, though it answers 200', async () => {
	const { back, load, broken } = await breakAtStep('late', late, withSpec('late', timeout, 100))
	expect(alarmKind(back)).toBe('errors')
	expect(Object.keys((await load.between(broken, markNow())).failures)).toEqual(['504'])
})

test('a canary that never answers goes back long before its requests time out', async () => {
	const { back, broken } = await breakAtStep('hung', hangs)
	expect(alarmKind(back)).toBe('stall')
	expect(Date.parse(back.time) - broken.wallMs).toBeLessThan(15_000)
})

test('failures that retries hide from the callers take it back by its attempts', async () => {
	const { back, load, broken } = await breakAtStep('retried', seventh, withSpec('retried', retries, 100))
	expect(back.numbers).toMatchObject({ by: 'guard', metric: 'attempts' })
	expect(back.reason).toContain('attempts')
	const { failed, requests } = await load.between(broken, markNow())
	// A seventh to the power of four: what the callers saw would have proven nothing.
	expect(failed).toBeLessThan(requests / 200)
})

test('without requests nothing moves, and it is said how many are missing', async () => {
	const rollout = await stage.shift('idle', { idle2: 100 })
	const held = await stage.daemon.until('it is held for want of requests', ({ rollouts }) => {
		const found = rollouts.find(({ id }) => id === rollout)
		return found?.step === 1 && found.holds.some(({ code }) => code === 'MORE_REQUESTS') ? found : null
	})
	expect(held.holds.map(({ text }) => text).join()).toMatch(/about [\d,]+ more/)
	expect(await shares('idle')).toEqual({ idle1: 50, idle2: 50 })
	await stage.daemon.sluice('rollout', 'abort', rollout, '--reason', 'it has been seen')
})

test('while half of the proxies say nothing it is held, and goes on when they speak again', async () => {
	loadOf('quiet')
	const rollout = await toFirstStep('quiet', routeYaml('quiet', { quiet2: 100 }))
	const silent = stage.envoy('front-2')
	silent.pause()
	const held = await stage.daemon.until('it is held for their silence', ({ rollouts }) => {
		const found = rollouts.find(({ id }) => id === rollout)
		return found?.holds.some(({ code }) => code === 'SILENT') ? found : null
	})
	expect(held.step).toBe(1)
	expect(held.holds.find(({ code }) => code === 'SILENT')?.text).toContain(callerKey('front-2'))
	expect(await shares('quiet')).toEqual({ quiet1: 50, quiet2: 50 })
	silent.resume()
	await stage.daemon.entry({ event: 'rollout.succeeded', rollout })
	expect(await shares('quiet', 'front-2')).toEqual({ quiet2: 100 })
})

test('an Envoy that is restarted in a step is no failure of the canary: the rollout ends where it was to', async () => {
	loadOf('again')
	const rollout = await toFirstStep('again', routeYaml('again', { again2: 100 }))
	await stage.envoy('front-1').restart()
	await stage.envoy('front-1').ready()
	loadOf('again')
	await stage.daemon.entry({ event: 'rollout.succeeded', rollout })
	for (const instance of ['front-1', 'front-2']) expect(await shares('again', instance)).toEqual({ again2: 100 })
	const events = stage.daemon.journal().filter((entry) => entry.rollout === rollout)
	expect(events.map(({ event }) => event)).not.toContain('rollout.rollingBack')
})
