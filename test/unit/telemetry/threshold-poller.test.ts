import { beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { Measurement } from '#guard/look.ts'
import type { MeasurementEvent, Question, WatchedThreshold } from '#telemetry/measurement.ts'
import { createThresholdPoller, type ThresholdPoller } from '#telemetry/threshold-poller.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

let clock: ManualClock
let poller: ThresholdPoller
let events: MeasurementEvent[]
let asked: string[]
let aborted: string[]
/** What a query is answered; null: nothing, and the signal is not heeded either. */
let answers: Record<string, Measurement | null>

const value = (figure: number): Measurement => ({ kind: 'value', value: figure, ageMs: 0 })
const watched = (guard: string, intervalMs = 10_000): WatchedThreshold => ({
	rollout: 'B/B#1',
	guard,
	question: { source: { kind: 'prometheus', address: 'http://p', query: guard, credentials: null }, windowMs: 60_000 },
	intervalMs,
})

function queryOf({ source }: Question): string {
	return source.kind === 'prometheus' ? source.query : ''
}

beforeEach(() => {
	clock = createManualClock()
	events = []
	asked = []
	aborted = []
	answers = {}
	poller = createThresholdPoller({
		source: {
			ask(question, signal) {
				const query = queryOf(question)
				asked.push(query)
				signal.addEventListener('abort', () => aborted.push(query))
				const answer = answers[query]
				return answer === null ? new Promise(() => undefined) : Promise.resolve(answer ?? value(1))
			},
		},
		clock,
		random: () => 0.5,
		emit: (event) => events.push(event),
	})
})

/** Lets time pass, and every answer that is there arrive. */
async function pass(ms: number): Promise<void> {
	clock.advance(ms)
	for (let round = 0; round < 20; round += 1) await Promise.resolve()
}

test('asks at once and then at its interval; answers are numbered', async () => {
	poller.follow([watched('a')])
	await pass(0)
	await pass(9_900)
	expect(asked).toEqual(['a'])
	await pass(100)
	answers.a = value(2)
	await pass(10_000)
	expect(events.map(({ sequence, measurement }) => [sequence, measurement])).toEqual([
		[1, value(1)],
		[2, value(1)],
		[3, value(2)],
	])
	expect(events[0]).toMatchObject({ kind: 'measurement', rollout: 'B/B#1', guard: 'a' })
})

test('what is followed again goes on; what is not is let go, its answer too', async () => {
	poller.follow([watched('a'), watched('b')])
	await pass(0)
	poller.follow([watched('a'), watched('c')])
	await pass(0)
	expect(asked).toEqual(['a', 'b', 'c'])
	answers.a = null
	await pass(10_000)
	poller.follow([])
	await pass(60_000)
	expect([asked.length, aborted, events.length]).toEqual([5, ['a'], 4])
	expect(clock.pendingMs()).toEqual([])
})

test('a question that hangs is no data after its deadline, and delays no other', async () => {
	answers.hangs = null
	poller.follow([watched('hangs'), watched('a', 2_000)])
	await pass(0)
	await pass(2_000)
	await pass(2_000)
	expect(events.map(({ guard }) => guard)).toEqual(['a', 'a', 'a'])
	await pass(1_000)
	expect(events.at(-1)).toMatchObject({
		guard: 'hangs',
		measurement: { kind: 'noData', reason: 'no answer within 5 s' },
	})
	expect(aborted).toEqual(['hangs'])
})

test('after a failure it is asked sooner, then with pauses that double up to the interval', async () => {
	answers.a = { kind: 'noData', reason: 'down' }
	poller.follow([watched('a')])
	await pass(0)
	const pauses: number[] = []
	for (let turn = 0; turn < 6; turn += 1) {
		const [pause = 0] = clock.pendingMs()
		pauses.push(pause)
		await pass(pause)
	}
	expect(pauses).toEqual([750, 1_500, 3_000, 6_000, 7_500, 7_500])
	answers.a = value(1)
	await pass(7_500)
	expect(clock.pendingMs()).toEqual([10_000])
})

test('so many are asked at once and no more; each gets its turn', async () => {
	const names = Array.from({ length: limits.measurementsAtOnce + 2 }, (_, index) => `q${index}`)
	for (const name of names) answers[name] = null
	poller.follow(names.map((name) => watched(name)))
	await pass(0)
	expect(asked).toHaveLength(limits.measurementsAtOnce)
	await pass(limits.measurementDeadlineMs)
	expect(asked).toHaveLength(names.length)
})

test('closed, it asks nobody', async () => {
	poller.follow([watched('a')])
	await pass(0)
	poller.close()
	await pass(60_000)
	expect([asked, clock.pendingMs()]).toEqual([['a'], []])
})
