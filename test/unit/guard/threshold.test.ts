import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { Measurement, ThresholdState } from '#guard/look.ts'
import {
	bootThreshold,
	describeThreshold,
	isLostForLong,
	judgeThreshold,
	lackOf,
	newThreshold,
	startThresholdStep,
} from '#guard/threshold.ts'
import type { ThresholdGuard } from '#mesh/mesh.ts'
import { count, seed } from '../../depth.ts'

const guard: ThresholdGuard = {
	kind: 'threshold',
	name: 'failures',
	source: { kind: 'prometheus', address: 'http://p', query: 'up', credentials: null },
	min: 0,
	max: 0.5,
	intervalMs: 10_000,
	windowMs: 60_000,
	minMeasurements: 2,
	breaches: { count: 3, of: 5 },
	onNoData: 'hold',
}

const value = (figure: number): Measurement => ({ kind: 'value', value: figure, ageMs: 0 })
const nothing: Measurement = { kind: 'noData', reason: 'the query gives nothing' }

/** Each of them in turn; numbers from where the state stands. */
function play(measurements: readonly Measurement[], from = newThreshold, stepMs = 60_000) {
	let state: ThresholdState = from
	const backs: (string | null)[] = []
	for (const measurement of measurements) {
		const judged = judgeThreshold(state, guard, { sequence: state.lastSequence + 1, measurement, stepMs })
		state = judged.state
		backs.push(judged.back)
	}
	return { state, backs, back: backs.at(-1) ?? null, lack: lackOf(state, guard) }
}

const good = value(0.1)
const bad = value(0.9)

describe('the way back', () => {
	test.for<{ why: string; given: Measurement[]; back: string | null }>([
		{ why: 'two breaches are too few', given: [bad, bad], back: null },
		{
			why: 'the third one counts',
			given: [bad, bad, bad],
			back: 'failures: 0.9 is above 0.5, 3 of the last 3 measurements',
		},
		{
			why: 'three of five',
			given: [bad, good, bad, good, bad],
			back: 'failures: 0.9 is above 0.5, 3 of the last 5 measurements',
		},
		{ why: 'three of six are none', given: [bad, good, good, bad, good, bad], back: null },
		{
			why: 'below the least',
			given: [value(-2), value(-2), value(-2)],
			back: 'failures: -2 is below 0, 3 of the last 3 measurements',
		},
		{ why: 'a bound is within', given: [value(0.5), value(0.5), value(0.5), value(0), value(0)], back: null },
		{
			why: 'a hair above it is not, and shows',
			given: [value(0.500000001), value(0.500000001), value(0.500000001)],
			back: 'failures: 0.500000001 is above 0.5, 3 of the last 3 measurements',
		},
		{ why: 'no data is no breach', given: [bad, nothing, nothing, bad, nothing], back: null },
		{
			why: 'nor does it make a breach good',
			given: [bad, nothing, bad, nothing, nothing, nothing, bad],
			back: 'failures: 0.9 is above 0.5, 3 of the last 3 measurements',
		},
		{
			why: 'NaN and infinity are no data',
			given: [value(Number.NaN), value(Infinity), value(-Infinity), value(Number.NaN)],
			back: null,
		},
	])('$why', ({ given, back }) => {
		expect(play(given).back).toBe(back)
	})

	test('no budget that only goes down: isolated bad minutes of a long rollout never add up', () => {
		const long = Array.from({ length: 200 }, (_, index) => (index % 4 === 0 ? bad : good))
		expect(play(long).backs.every((back) => back === null)).toBe(true)
	})

	test('a breach counts before a whole window lies in the step, and over a step', () => {
		const { state } = play([bad, bad], newThreshold, 59_999)
		expect(play([bad], startThresholdStep(state), 59_999).back).not.toBeNull()
	})

	test('what was seen before is not counted twice', () => {
		const { state } = play([bad, bad])
		const again = judgeThreshold(state, guard, { sequence: 2, measurement: bad, stepMs: 60_000 })
		expect(again).toEqual({ state, back: null })
	})

	test('breaches outlive a restart, numbers do not', () => {
		const { state } = play([good, bad, bad])
		expect(play([bad], bootThreshold(state)).back).not.toBeNull()
	})
})

describe('the step forward', () => {
	test.for<{ why: string; given: Measurement[]; lack: string | null }>([
		{ why: 'nothing asked yet', given: [], lack: 'noData: failures: no measurement yet' },
		{
			why: 'too few',
			given: [good],
			lack: 'tooFew: failures: 1 of 2 measurements of this step',
		},
		{ why: 'enough', given: [good, good], lack: null },
		{
			why: 'the newest is out of bounds',
			given: [good, good, bad],
			lack: 'outOfBounds: failures: 0.9 is above 0.5, 1 of the last 3 measurements',
		},
		{
			why: 'the newest is no data',
			given: [good, good, nothing],
			lack: 'noData: failures has no data: the query gives nothing',
		},
		{ why: 'NaN', given: [good, good, value(Number.NaN)], lack: 'noData: failures has no data: the value is NaN' },
		{ why: 'data again', given: [good, good, nothing, good], lack: null },
	])('$why', ({ given, lack }) => {
		const found = play(given).lack
		expect(found && `${found.kind}: ${found.text}`).toBe(lack)
	})

	test('what looks back over the last step says nothing of this one', () => {
		expect(play([good, good, good], newThreshold, 59_999).lack?.kind).toBe('tooFew')
		const old: Measurement = { kind: 'value', value: 0.1, ageMs: 5_000 }
		expect(play([old, old], newThreshold, 64_999).lack?.kind).toBe('tooFew')
		expect(play([old, old], newThreshold, 65_000).lack).toBeNull()
	})

	test('each step needs its own, and each boot a fresh one', () => {
		const { state } = play([good, good, good])
		expect(lackOf(startThresholdStep(state), guard)?.kind).toBe('tooFew')
		expect(lackOf(bootThreshold(state), guard)?.kind).toBe('noData')
	})

	test('a figure that is not renewed grows old', () => {
		const { state } = play([good, good])
		const aged = (sinceDataMs: number) => lackOf({ ...state, sinceDataMs }, guard)
		expect(aged(35_000)).toBeNull()
		expect(aged(36_000)).toEqual({ kind: 'noData', text: 'failures: no measurement for 36 s' })
	})

	test('silence takes back only where the policy wants that', () => {
		const state = { ...newThreshold, sinceDataMs: 71_000 }
		expect([isLostForLong(state, guard), isLostForLong(state, { ...guard, onNoData: 'rollBack' })]).toEqual([
			false,
			true,
		])
	})
})

test('status says the figure beside its bounds, or why there is none', () => {
	const shown = (given: Measurement[]) => describeThreshold(play(given).state, guard)
	expect([[], [good], [bad], [nothing]].map(shown)).toEqual([
		'not asked yet; at least 0, at most 0.5',
		'0.1, at least 0, at most 0.5; 1 of 2 measurements in bounds at this step',
		'0.9 is above 0.5; 0 of 2 measurements in bounds at this step',
		'no data: the query gives nothing; at least 0, at most 0.5',
	])
})

const measurements = fc.array(
	fc.oneof(
		fc.double().map(value),
		fc.constantFrom(good, bad),
		fc.string({ maxLength: 1000 }).map((reason): Measurement => ({ kind: 'noData', reason })),
	),
	{ maxLength: 40 },
)

test('whatever is measured: back only on enough breaches, forward only on fresh figures in bounds, and a small state', () => {
	fc.assert(
		fc.property(measurements, (given) => {
			const { state, backs, lack } = play(given)
			const isData = (one: Measurement) => one.kind === 'value' && Number.isFinite(one.value)
			const isBreach = (one: Measurement | undefined) =>
				one?.kind === 'value' && isData(one) && (one.value > 0.5 || one.value < 0)
			backs.forEach((back, index) => {
				const newest = given
					.slice(0, index + 1)
					.filter(isData)
					.slice(-5)
				const breaks = newest.filter(isBreach).length >= 3 && isBreach(given[index])
				expect(back !== null).toBe(breaks)
			})
			const last = given.at(-1)
			if (last === undefined || !isData(last) || isBreach(last)) expect(lack).not.toBeNull()
			expect(JSON.stringify(state).length).toBeLessThan(600 + limits.measurementReasonChars)
		}),
		{ seed: seed(), numRuns: count(300, 10_000) },
	)
})
