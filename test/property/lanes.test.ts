import fc from 'fast-check'
import { expect, test } from 'vitest'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { type Split, wholePpm } from '#plan/plan.ts'
import { isSameSplit, shareOf, shareOfAll, splitOfWeights } from '#plan/split.ts'
import { type Ladder, ladderOf, splitAtStep, type Way } from '#rollout/ladder.ts'
import { count, seed } from '../depth.ts'

// Routes with different shares that are one rollout: whatever they come from and go to, nobody jumps.

const target = (name: string) => ({ virtualNode: resourceId.virtualNode('apps', name), port: 80 })
const [v1, v2, v3] = [target('v1'), target('v2'), target('v3')]

/** All of them raise v2, maybe v3 beside it, and v1 falls. */
const way = fc
	.record({
		from: fc.integer({ min: 0, max: wholePpm - 2 }),
		rise: fc.double({ min: 0, max: 1, noNaN: true }),
		third: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
		canaries: fc.constantFrom(1, 2),
	})
	.map(({ from, rise, third, canaries }): Way & { readonly canaries: number } => {
		const to = Math.min(wholePpm, from + canaries + Math.round(rise * (wholePpm - from - canaries)))
		const part = canaries === 1 ? 0 : Math.min(to - from - 1, Math.max(1, Math.round((to - from) * third)))
		const split = (second: number, other: number): Split =>
			splitOfWeights([
				{ ...v1, weight: wholePpm - second - other },
				{ ...v2, weight: second },
				{ ...v3, weight: other },
			])
		return { canaries, good: split(from, 0), target: split(to - part, part) }
	})

const steps = fc
	.uniqueArray(fc.integer({ min: 1, max: wholePpm }), { maxLength: 6 })
	.map((shares) => shares.sort((left, right) => left - right))
const drawn = fc.record({ ways: fc.array(way, { minLength: 1, maxLength: 4 }), steps })

test('no lane falls below its good or rises above its target, each step is a rise, and both ends are exact', () => {
	fc.assert(
		fc.property(drawn, ({ ways, steps: shares }) => {
			const { lanes, ladder, canaries } = ladderOfDrawn(ways, shares)
			for (const lane of lanes) {
				const at = (step: number) => splitAtStep(ladder, lane, step)
				expect(isSameSplit(at(-1), lane.good)).toBe(true)
				expect(isSameSplit(at(ladder.stepsPpm.length - 1), lane.target)).toBe(true)
				for (const [step] of ladder.stepsPpm.entries()) {
					const split = at(step)
					expect(split.reduce((sum, { sharePpm }) => sum + sharePpm, 0)).toBe(wholePpm)
					for (const canary of canaries) {
						expect(shareOf(split, canary)).toBeGreaterThanOrEqual(shareOf(at(step - 1), canary) - 1)
						expect(shareOf(split, canary)).toBeLessThanOrEqual(shareOf(lane.target, canary) + 1)
					}
				}
			}
		}),
		{ numRuns: count(200, 20_000), seed: seed() },
	)
})

test('no lane passes a share that the policy names before the step of that name', () => {
	fc.assert(
		fc.property(drawn, ({ ways, steps: shares }) => {
			const { lanes, ladder, canaries } = ladderOfDrawn(ways, shares)
			for (const lane of lanes) {
				const [from, to] = [shareOfAll(lane.good, canaries), shareOfAll(lane.target, canaries)]
				const own = ladder.stepsPpm.filter((share) => share > from && share < to)
				for (const [step, named] of ladder.stepsPpm.entries()) {
					// The next one of its own that is not behind it; rounding may move one part in a million.
					const most = own.find((share) => share >= named) ?? to
					expect(shareOfAll(splitAtStep(ladder, lane, step), canaries)).toBeLessThanOrEqual(most + 2)
				}
			}
		}),
		{ numRuns: count(200, 20_000), seed: seed() },
	)
})

function ladderOfDrawn(ways: readonly (Way & { readonly canaries: number })[], shares: readonly number[]) {
	const rising = ways[0]?.canaries ?? 1
	const lanes = ways.filter(({ canaries }) => canaries === rising)
	const canaries = [v2, v3].slice(0, rising)
	const policy = {
		...defaultRolloutPolicySpec,
		steps: shares.map((sharePpm) => ({ ...defaultRolloutStep, sharePpm })),
	}
	const ladder: Ladder = { lanes, canaries, stepsPpm: ladderOf(policy, lanes, canaries) }
	return { lanes, ladder, canaries }
}
