import { beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import type { HookObservation } from '#hooks/hook-call.ts'
import { createHookNotifier, type HookNotifier } from '#hooks/hook-notifier.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'
import { hookCall } from './call.ts'

let clock: ManualClock
let notifier: HookNotifier
let called: string[]
let observed: HookObservation['outcome'][]
let dropped: string[]
/** By name of the hook: what it answers; null: nothing. */
let answers: Record<string, HookAnswer | null>

beforeEach(() => {
	clock = createManualClock()
	called = []
	observed = []
	dropped = []
	answers = {}
	notifier = createHookNotifier({
		send(call) {
			called.push(call.id)
			const answer = answers[call.hook.name]
			return answer === null ? new Promise(() => undefined) : Promise.resolve(answer ?? { kind: 'allow' })
		},
		clock,
		log: { ...silentLog, warn: (event) => dropped.push(event) },
		observe: ({ outcome }) => observed.push(outcome),
	})
})

const notice = (id: string, name = 'chat') => hookCall({ name, point: 'event', timeoutMs: 5_000 }, { id })

async function pass(ms: number): Promise<void> {
	clock.advance(ms)
	for (let round = 0; round < 100; round += 1) await Promise.resolve()
}

test('tells in order, one at a time', async () => {
	for (const id of ['a', 'b', 'c']) notifier.tell(notice(id))
	expect(called).toEqual(['a'])
	await pass(0)
	expect([called, observed]).toEqual([
		['a', 'b', 'c'],
		['allow', 'allow', 'allow'],
	])
	notifier.tell(notice('d'))
	expect(called.at(-1)).toBe('d')
})

test('what nobody takes is tried again a few times, dropped, counted; and the next has its turn', async () => {
	answers.chat = { kind: 'failed', reason: 'down' }
	notifier.tell(notice('a'))
	notifier.tell(notice('b'))
	await pass(0)
	await pass(limits.hookNoticePauseMs)
	answers.chat = { kind: 'allow' }
	expect(called).toEqual(['a', 'a'])
	answers.chat = { kind: 'failed', reason: 'down' }
	await pass(limits.hookNoticePauseMs)
	expect(called).toEqual(['a', 'a', 'a', 'b'])
	expect([observed, dropped]).toEqual([['failed', 'failed', 'failed', 'dropped', 'failed'], ['hook.dropped']])
})

test('one that hangs holds up no other, and its queue is bounded', async () => {
	answers.hangs = null
	for (let count = 0; count < limits.hookNoticesWaiting + 2; count += 1) notifier.tell(notice(`h${count}`, 'hangs'))
	notifier.tell(notice('a'))
	await pass(0)
	expect([called, dropped.length]).toEqual([['h0', 'a'], 2])
})

test('closed, it tells nobody', async () => {
	answers.chat = { kind: 'failed', reason: 'down' }
	notifier.tell(notice('a'))
	await pass(0)
	notifier.close()
	notifier.tell(notice('b'))
	await pass(60_000)
	expect([called, clock.pendingMs()]).toEqual([['a'], []])
})
