import { describe, expect, test } from 'vitest'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { shareOf, splitOfWeights } from '#plan/split.ts'
import { demandsOfStep, isHeldBack, ladderOf, splitAtStep } from '#rollout/ladder.ts'

const stable = { virtualNode: resourceId.virtualNode('apps', 'B'), port: 80 }
const canary = { virtualNode: resourceId.virtualNode('apps', 'Bv2'), port: 80 }
const split = (left: number, right: number) =>
	splitOfWeights([
		{ ...stable, weight: left },
		{ ...canary, weight: right },
	])
const policy = {
	...defaultRolloutPolicySpec,
	steps: [10, 25, 50, 75].map((percent) => ({ ...defaultRolloutStep, sharePpm: percent * 10_000, minDurationMs: 0 })),
}

describe('ladderOf', () => {
	test.for([
		{ from: [100, 0], to: [0, 100], steps: [10, 25, 50, 75, 100] },
		{ from: [100, 0], to: [75, 25], steps: [10, 25] },
		{ from: [75, 25], to: [0, 100], steps: [50, 75, 100] },
		{ from: [80, 20], to: [78, 22], steps: [22] },
		{ from: [0, 100], to: [100, 0], steps: [10, 25, 50, 75, 100], falls: true },
	] as const)('$from → $to in $steps', ({ from, to, steps, ...rest }) => {
		const rising = 'falls' in rest ? [stable] : [canary]
		const ladder = ladderOf(policy, [{ good: split(from[0], from[1]), target: split(to[0], to[1]) }], rising)
		expect(ladder).toEqual(steps.map((percent) => percent * 10_000))
	})
})

test('the shares at a step lie between good and target; step -1 is good', () => {
	const way = { good: split(75, 25), target: split(0, 100) }
	const ladder = {
		lanes: [way],
		canaries: [canary],
		stepsPpm: [500_000, 750_000, 1_000_000],
	}
	const shares = [-1, 0, 1, 2].map((step) => splitAtStep(ladder, way, step).map(({ sharePpm }) => sharePpm))
	expect(shares).toEqual([
		[750_000, 250_000],
		[500_000, 500_000],
		[250_000, 750_000],
		[0, 1_000_000],
	])
})

test('a step may be a part of a percent, down to one request in a million', () => {
	const tiny = { ...policy, steps: [1, 100, 2_500].map((sharePpm) => ({ ...defaultRolloutStep, sharePpm })) }
	const way = { good: split(100, 0), target: split(99, 1) }
	const stepsPpm = ladderOf(tiny, [way], [canary])
	expect(stepsPpm).toEqual([1, 100, 2_500, 10_000])
	const shares = stepsPpm.map((_, step) => splitAtStep({ lanes: [way], canaries: [canary], stepsPpm }, way, step))
	expect(shares.map((at) => at.map(({ sharePpm }) => sharePpm))).toEqual([
		[999_999, 1],
		[999_900, 100],
		[997_500, 2_500],
		[990_000, 10_000],
	])
})

describe('what is held back during the bake', () => {
	const held = { ...policy, holdBackPpm: 10_000, bakeMs: 300_000 }
	const ladder = (from: number, to: number) =>
		ladderOf(held, [{ good: split(100 - from, from), target: split(100 - to, to) }], [canary]).map(
			(share) => share / 10_000,
		)

	test('is a step before the last, where the target would leave the baseline less', () => {
		expect(ladder(0, 100)).toEqual([10, 25, 50, 75, 99, 100])
		expect(ladder(98.5, 100)).toEqual([99, 100])
		expect(ladder(0, 99.5)).toEqual([10, 25, 50, 75, 99, 99.5])
	})

	test('is none where the baseline keeps as much anyway, or has no more', () => {
		expect(ladder(0, 75)).toEqual([10, 25, 50, 75])
		expect(ladder(0, 75.5), 'a step that is nearer to the target is left out').toEqual([10, 25, 50, 75.5])
		expect(ladder(99, 100)).toEqual([100])
	})

	test('bakes, and the last step takes no longer than its evidence', () => {
		const stepsPpm = [500_000, 990_000, 1_000_000]
		const durations = stepsPpm.map((_, step) => demandsOfStep({ policy: held, stepsPpm, step }).minDurationMs)
		expect(durations).toEqual([0, 300_000, 0])
		expect(stepsPpm.map((_, step) => isHeldBack({ policy: held, stepsPpm, step }))).toEqual([false, true, false])
		const without = { ...held, holdBackPpm: 0 }
		expect(demandsOfStep({ policy: without, stepsPpm, step: 2 }).minDurationMs).toBe(300_000)
	})
})

describe('several lanes', () => {
	type Ends = readonly [from: number, to: number]
	const wayOf = ([from, to]: Ends) => ({ good: split(100 - from, from), target: split(100 - to, to) })

	/** At each step, in percent: what every lane gives the canary. */
	function climb(ends: readonly Ends[]): number[][] {
		const lanes = ends.map(wayOf)
		const stepsPpm = ladderOf(policy, lanes, [canary])
		return stepsPpm.map((_, step) =>
			lanes.map((lane) => {
				const at = splitAtStep({ lanes, canaries: [canary], stepsPpm }, lane, step)
				return Math.round(shareOf(at, canary) / 100) / 100
			}),
		)
	}

	test.for<{ why: string; ends: readonly Ends[]; climbs: readonly (readonly number[])[] }>([
		{
			why: 'that begin and end alike move together',
			ends: [
				[0, 100],
				[0, 100],
			],
			climbs: [10, 25, 50, 75, 100].map((share) => [share, share]),
		},
		{
			why: 'one that goes half the way has half as much, and the longer one makes the steps',
			ends: [
				[0, 50],
				[0, 100],
			],
			climbs: [
				[5, 10],
				[12.5, 25],
				[25, 50],
				[37.5, 75],
				[50, 100],
			],
		},
		{
			why: 'one that is ahead holds the others back where it comes to a share first',
			ends: [
				[40, 100],
				[0, 100],
			],
			climbs: [
				[46, 10],
				[50, 16.67],
				[75, 58.33],
				[100, 100],
			],
		},
		{
			why: 'that never meet: the lower one is done when the upper one is',
			ends: [
				[0, 20],
				[50, 100],
			],
			climbs: [
				[10, 75],
				[20, 100],
			],
		},
	])('$why', ({ ends, climbs }) => {
		expect(climb(ends)).toEqual(climbs)
	})
})
