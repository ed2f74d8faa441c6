// A canary that turns bad behind real Envoys: how soon it is taken back, and what is said while a proxy does not answer.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JournalTold } from '#lab/demo/daemon-api.ts'
import type { Load } from '#lab/load.ts'
import { type Mark, markNow } from '#lab/mark.ts'
import { eventually } from './fixtures/eventually.ts'
import type { TappedFlush } from './fixtures/flush-tap.ts'
import { readHeldShares, readTakenUpdates } from './fixtures/held-config.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

const failing = { sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } } as const
let stage: Stage
let load: Load

beforeAll(async () => {
	stage = await openStage({
		block: 41,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50, 75],
	})
	load = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 200 })
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

test('goes out with the first push after the second flush that shows it, and every proxy confirms it', async () => {
	const { daemon } = stage
	const rollout = await stage.shift('shop', { shop1: 0, shop2: 100 })
	await stepConfirmed(1)
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 50, shop2: 50 })
	const before = await readTakenUpdates(stage.envoy('front-1'))
	const broken = markNow()
	stage.app('shop2').setFailure(failing)
	const back = await daemon.entry({ event: 'rollout.rollingBack', rollout })
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout })

	const [first, second] = flushesThatShow(broken)
	// The alarm has what these two flushes counted, or less where the fleet's sum showed it sooner; nothing of a third.
	expect(back.numbers).toMatchObject({ by: 'guard', alarm: { kind: 'errors' } })
	const runs = alarmOf(back).proxy === null ? runsUpTo(second) : [[first, second]]
	const distances = runs.map((flushes) => distance(alarmOf(back).counts, flushes))
	expect(Math.min(...distances)).toBeLessThanOrEqual(countedBetweenSinks)
	expect(confirmed.numbers).toMatchObject({ connected: 2, unreachable: [] })
	for (const instance of ['front-1', 'front-2'])
		expect(await readHeldShares(stage.envoy(instance), 'shop')).toEqual({ shop1: 100 })
	expect((await readTakenUpdates(stage.envoy('front-1'))).egressRoutes).toBe(before.egressRoutes + 1)

	const whole = markNow()
	const { failures, firstFailure } = await load.between(broken, whole)
	expect(Object.keys(failures)).toEqual(['503'])
	const tookMs = Date.parse(confirmed.time) - (firstFailure?.wallMs ?? 0)
	console.log(`from the first failed answer to the confirmed way back: ${Math.round(tookMs)} ms`)
	const sent = load.soFar().requests
	await eventually('more requests pass', () => load.soFar().requests > sent + 20)
	expect((await load.between(whole, markNow())).failed).toBe(0)
})

test('a frozen replica delays nobody, and nobody says of it what it has not confirmed', async () => {
	const { daemon } = stage
	const [busy, frozen] = [stage.envoy('front-1'), stage.envoy('front-2')]
	const rollout = await retry()
	await stepConfirmed(1)
	frozen.pause()
	const paused = markNow()
	await daemon.promote(rollout)
	await daemon.entry({ event: 'rollout.advanced', rollout, step: 1 })
	await eventually('the other replica has the step', async () => (await readHeldShares(busy, 'shop')).shop2 === 75)
	const held = await daemon.entry({ event: 'rollout.held', rollout })
	expect(held.numbers).toMatchObject({ codes: ['NOT_ACKED'] })
	expect(held.reason).toContain(`1 of 2 proxies have not ACKed yet: ${callerKey('front-2')}`)
	expect(load.soFar().notSent).toBe(0)
	expect((await load.between(paused, markNow())).failed).toBe(0)

	stage.app('shop2').setFailure(failing)
	await daemon.entry({ event: 'rollout.rollingBack', rollout })
	await eventually('the other replica is back', async () => (await readHeldShares(busy, 'shop')).shop2 === undefined)
	const waiting = `1 of 2 proxies have confirmed; waiting for ${callerKey('front-2')}`
	const status = await daemon.until(waiting, ({ rollouts: [newest] }) => {
		return newest?.holds.some(({ code, text }) => code === 'NOT_ACKED' && text === waiting) ? newest : null
	})
	expect(status).toMatchObject({ phase: 'rollingBack', confirmed: false, fleet: { connected: 2, current: 1 } })
	expect(status.text).toMatch(/^going back to shop1 100 %.*, 1\/2 proxies confirmed: /)
	expect(daemon.journal().filter((entry) => entry.rollout === rollout && entry.event === 'rollout.rolledBack')).toEqual(
		[],
	)

	frozen.resume()
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(confirmed.numbers).toMatchObject({ connected: 2, unreachable: [] })
	expect(await readHeldShares(frozen, 'shop')).toEqual({ shop1: 100 })
})

test('a replica that has gone is named as unreachable, with what it last held', async () => {
	const { daemon } = stage
	const gone = stage.envoy('front-2')
	const rollout = await retry()
	await stepConfirmed(1)
	await gone.kill()
	stage.app('shop2').setFailure(failing)
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(confirmed.numbers).toMatchObject({
		connected: 1,
		unreachable: [expect.stringContaining(callerKey('front-2'))],
	})
	expect(confirmed.reason).toContain('1/2 proxies confirmed')
	expect(await readHeldShares(stage.envoy('front-1'), 'shop')).toEqual({ shop1: 100 })
})

/** Mends the canary and has the newest rollout tried again. Gives the new one. */
async function retry(): Promise<string> {
	const { daemon } = stage
	stage.app('shop2').heal()
	const { id } = await daemon.rollout('shop')
	const after = daemon.journal().at(-1)?.sequence ?? 0
	await daemon.api.retry(id, 'it is mended')
	return (await daemon.entry({ event: 'rollout.started', after })).rollout ?? ''
}

/** Resolves when every proxy has confirmed a step, counted from 1. */
async function stepConfirmed(step: number): Promise<void> {
	await stage.daemon.until(`step ${step} is confirmed`, ({ rollouts: [rollout] }) => {
		return rollout?.step === step && rollout.confirmed && rollout.endedAt === null ? true : null
	})
}

const clusterOf = (node: string) => `cds_egress_apps_${node}_http2_${stage.port}`
const ofFront = () => stage.tap.flushes.filter(({ proxy }) => proxy === callerKey('front-1'))
const canaryOf = ({ clusters }: TappedFlush) => clusters.get(clusterOf('shop2'))
const baselineOf = ({ clusters }: TappedFlush) => clusters.get(clusterOf('shop1'))

/**
 * The first two of the busy proxy since the mark, one after the other, with ≥ 20 canary requests each, of which together
 * half failed, and no less than a quarter in either.
 */
function flushesThatShow(since: Mark): [TappedFlush, TappedFlush] {
	const flushes = ofFront().filter(({ arrivedWallMs }) => arrivedWallMs > since.wallMs)
	for (const [index, second] of flushes.entries()) {
		const first = flushes[index - 1]
		if (first === undefined) continue
		const [left, right] = [countsOf(first), countsOf(second)]
		const areFull = [left, right].every(({ completed, errors }) => completed >= 20 && errors * 4 >= completed)
		if (areFull && (left.errors + right.errors) * 2 >= left.completed + right.completed) return [first, second]
	}
	throw new Error('no two flushes show it')
}

const countsOf = (flush: TappedFlush) => canaryOf(flush) ?? { completed: 0, errors: 0 }

/** Of Envoy's sinks each reads the counters when its turn comes: a request or two may lie between them. */
const countedBetweenSinks = 5

type Counted = { readonly requests: number; readonly errors: number }

type AlarmTold = {
	readonly proxy: string | null
	readonly counts: { readonly canary: Counted; readonly baseline: Counted }
}

function alarmOf({ numbers }: JournalTold): AlarmTold {
	return numbers.alarm as AlarmTold
}

/** The last few flushes of the busy proxy, in a row, up to this one: which of them a round of the fleet had is chance. */
function runsUpTo(last: TappedFlush): TappedFlush[][] {
	const flushes = ofFront().slice(0, ofFront().indexOf(last) + 1)
	const ends = [flushes.slice(-4), flushes.slice(-4, -1)]
	return ends.flatMap((run) => run.map((_, from) => run.slice(from)))
}

/** The largest difference between what an alarm counts and what flushes do. */
function distance(counts: AlarmTold['counts'], flushes: readonly TappedFlush[]): number {
	const differences = [[counts.canary, canaryOf] as const, [counts.baseline, baselineOf] as const].flatMap(
		([told, of]) => [
			told.requests - flushes.reduce((total, flush) => total + (of(flush)?.completed ?? 0), 0),
			told.errors - flushes.reduce((total, flush) => total + (of(flush)?.errors ?? 0), 0),
		],
	)
	return Math.max(...differences.map(Math.abs))
}
