import { beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { HookCall, HookEvent, HookObservation } from '#hooks/hook-call.ts'
import { createHookCaller, type HookCaller } from '#hooks/hook-caller.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'
import { hookCall } from './call.ts'

let clock: ManualClock
let caller: HookCaller
let events: HookEvent[]
let observed: HookObservation[]
let called: HookCall[]
let aborted: string[]
/** What a hook is answered, by name; null: nothing, and the signal is not heeded either. */
let answers: Record<string, HookAnswer | null>

const no: HookAnswer = { kind: 'hold', reason: 'not yet' }
const down: HookAnswer = { kind: 'failed', reason: 'down' }

beforeEach(() => {
	clock = createManualClock()
	events = []
	observed = []
	called = []
	aborted = []
	answers = {}
	caller = createHookCaller({
		send(call, signal) {
			called.push(call)
			signal.addEventListener('abort', () => aborted.push(call.hook.name))
			const answer = answers[call.hook.name]
			return answer === null ? new Promise(() => undefined) : Promise.resolve(answer ?? no)
		},
		clock,
		random: () => 0.5,
		emit: (event) => events.push(event),
		observe: (observation) => observed.push(observation),
	})
})

async function pass(ms: number): Promise<void> {
	clock.advance(ms)
	for (let round = 0; round < 20; round += 1) await Promise.resolve()
}

test('calls at once, and again at its interval for as long as it is followed', async () => {
	caller.follow([hookCall()])
	await pass(0)
	await pass(9_900)
	expect(called).toHaveLength(1)
	await pass(100)
	answers.gate = { kind: 'allow' }
	await pass(10_000)
	expect(events.map(({ answer }) => answer)).toEqual([no, no, { kind: 'allow' }])
	expect(events[0]).toMatchObject({ kind: 'hook', rollout: 'B/B#1', hook: 'gate', call: 'id-1' })
	expect(observed.map(({ outcome }) => outcome)).toEqual(['hold', 'hold', 'allow'])
	caller.follow([])
	await pass(60_000)
	expect([called.length, clock.pendingMs()]).toEqual([3, []])
})

test('is told what is known at the time of the call', async () => {
	caller.follow([hookCall()])
	await pass(0)
	caller.follow([hookCall({}, { about: { rollout: { id: 'B/B#1', phase: 'held' } } })])
	await pass(10_000)
	expect(called.map(({ about }) => about)).toEqual([
		{ rollout: { id: 'B/B#1' } },
		{ rollout: { id: 'B/B#1', phase: 'held' } },
	])
})

test('the next step is another call; the one under way is let go', async () => {
	answers.gate = null
	caller.follow([hookCall()])
	await pass(0)
	caller.follow([hookCall({}, { id: 'id-2' })])
	await pass(0)
	expect([called.map(({ id }) => id), aborted]).toEqual([['id-1', 'id-2'], ['gate']])
})

test('who watches is asked about another step at once, and is heard out about the one before', async () => {
	const watcher = (step: number) => hookCall({ point: 'watch' }, { step })
	caller.follow([watcher(0)])
	await pass(0)
	await pass(1_000)
	caller.follow([watcher(1)])
	await pass(0)
	expect(called.map(({ step }) => step)).toEqual([0, 1])
	answers.gate = null
	await pass(10_000)
	caller.follow([watcher(2)])
	await pass(0)
	expect([called.length, aborted]).toEqual([3, []])
	await pass(10_000)
	expect(events.map(({ step }) => step)).toEqual([0, 1, 1])
	await pass(0)
	expect(called.map(({ step }) => step)).toEqual([0, 1, 1, 2])
})

test('a hook that hangs has no answer after its timeout, and delays no other', async () => {
	answers.hangs = null
	caller.follow([hookCall({ name: 'hangs', timeoutMs: 30_000 }), hookCall({ name: 'other', intervalMs: 5_000 })])
	await pass(0)
	for (let round = 0; round < 5; round += 1) await pass(5_000)
	expect(events.map(({ hook }) => hook)).toEqual(['other', 'other', 'other', 'other', 'other', 'other'])
	await pass(5_000)
	expect(events.find(({ hook }) => hook === 'hangs')?.answer).toEqual({
		kind: 'failed',
		reason: 'no answer within 30 s',
	})
	expect(aborted).toEqual(['hangs'])
})

test('the end is told with pauses that double up, and that nobody hears it is said once, when it is given up', async () => {
	answers.gate = down
	caller.follow([hookCall({ point: 'ended' })])
	await pass(0)
	const pauses: number[] = []
	while (events.length === 0) {
		const [pause = 0] = clock.pendingMs()
		pauses.push(pause)
		await pass(pause)
	}
	expect(pauses.slice(0, 7)).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
	expect([called.length, events[0]?.answer]).toEqual([limits.hookEndedCalls, down])
})

test('closed, it calls nobody', async () => {
	answers.gate = null
	caller.follow([hookCall()])
	await pass(0)
	caller.close()
	await pass(60_000)
	expect([called.length, aborted, events, clock.pendingMs()]).toEqual([1, ['gate'], [], []])
})
