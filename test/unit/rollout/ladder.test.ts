import { describe, expect, test } from 'vitest'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { splitOfWeights } from '#plan/split.ts'
import { ladderOf, splitAtStep } from '#rollout/ladder.ts'

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
		const ladder = ladderOf(policy, split(from[0], from[1]), split(to[0], to[1]), rising)
		expect(ladder).toEqual(steps.map((percent) => percent * 10_000))
	})
})

test('the shares at a step lie between good and target; step -1 is good', () => {
	const rollout = {
		good: split(75, 25),
		target: split(0, 100),
		canaries: [canary],
		stepsPpm: [500_000, 750_000, 1_000_000],
	}
	const shares = [-1, 0, 1, 2].map((step) => splitAtStep(rollout, step).map(({ sharePpm }) => sharePpm))
	expect(shares).toEqual([
		[750_000, 250_000],
		[500_000, 500_000],
		[250_000, 750_000],
		[0, 1_000_000],
	])
})

test('a step may be a part of a percent, down to one request in a million', () => {
	const tiny = { ...policy, steps: [1, 100, 2_500].map((sharePpm) => ({ ...defaultRolloutStep, sharePpm })) }
	const [good, target] = [split(100, 0), split(99, 1)]
	const stepsPpm = ladderOf(tiny, good, target, [canary])
	expect(stepsPpm).toEqual([1, 100, 2_500, 10_000])
	const shares = stepsPpm.map((_, step) => splitAtStep({ good, target, canaries: [canary], stepsPpm }, step))
	expect(shares.map((at) => at.map(({ sharePpm }) => sharePpm))).toEqual([
		[999_999, 1],
		[999_900, 100],
		[997_500, 2_500],
		[990_000, 10_000],
	])
})
