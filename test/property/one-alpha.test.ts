import fc from 'fast-check'
import { expect, test } from 'vitest'
import { payoff } from '#guard/bet.ts'
import { addLook, effectSizes, errorBets, logEvidence } from '#guard/error-test.ts'
import { restartWeight } from '#guard/restart-weight.ts'
import { count, seed } from '../depth.ts'

// One α for a whole rollout. The evidence is the mean over all tests; what it is expected to be after a look, whatever the
// look holds, is at most what it was and the look's stake. Stakes sum to at most 1 (restart-weight.test.ts), so by
// Ville's inequality the chance ever to reach 1/α is at most α: with any number of measures, canaries, edges and looks.

const tolerance = { ratio: 1.25, tolerance: 0.0005 }

/** Chance of each number of failures. */
function chances(requests: number, share: number): number[] {
	let logChoices = 0
	return Array.from({ length: requests + 1 }, (_, failed) => {
		if (failed > 0) logChoices += Math.log((requests - failed + 1) / failed)
		const others = requests - failed
		if (share === 0 || share === 1) return (share === 0 ? failed : others) === 0 ? 1 : 0
		return Math.exp(logChoices + failed * Math.log(share) + others * Math.log1p(-share))
	})
}

const log = fc.oneof(fc.constant(-Infinity), fc.double({ min: -12, max: 4, noNaN: true }))
/** One measure at one canary: what it had gathered, and what both arms have in the look. */
const measure = fc.record({
	evidence: fc.array(log, { minLength: effectSizes.length, maxLength: effectSizes.length }),
	canary: fc.integer({ min: 1, max: 14 }),
	baseline: fc.integer({ min: 1, max: 25 }),
	share: fc.constantFrom(0, 0.001, 0.02, 0.2, 0.6),
})

test('a look is expected to add no more than its stake to the mean of all tests', () => {
	const looks = fc.record({
		measures: fc.array(measure, { minLength: 1, maxLength: 6 }),
		look: fc.integer({ min: 1, max: 5000 }),
		stepStart: fc.boolean(),
		phi: fc.constantFrom(1, 3, 17),
		alpha: fc.constantFrom(0.001, 0.01, 0.2),
	})
	fc.assert(
		fc.property(looks, ({ measures, look, stepStart, phi, alpha }) => {
			const restart = restartWeight({ look, stepStart, steps: 5 })
			const wager = { alpha, phi: { value: phi, source: 'proxies' } as const, restart }
			const before = Math.exp(logEvidence(measures.map(({ evidence }) => evidence)))
			// The mean over the tests is linear, so each may be summed by itself, however they depend on each other.
			const after = measures.map(({ evidence, canary, baseline, share }) => {
				const bets = errorBets(canary, baseline, tolerance)
				const ofBaseline = chances(baseline, share)
				return chances(canary, Math.min(1, tolerance.ratio * share + tolerance.tolerance)).reduce(
					(mean, canaryChance, canaryErrors) =>
						mean +
						ofBaseline.reduce((sum, baselineChance, baselineErrors) => {
							const arms = {
								canary: { requests: canary, errors: canaryErrors },
								baseline: { requests: baseline, errors: baselineErrors },
							}
							const added = addLook(
								evidence,
								bets.map((bet) => payoff(bet, arms)),
								wager,
							)
							return sum + canaryChance * baselineChance * Math.exp(logEvidence([added]))
						}, 0),
					0,
				)
			})
			const mean = after.reduce((sum, expected) => sum + expected, 0) / after.length
			expect(mean).toBeLessThanOrEqual((before + restart) * (1 + 1e-9))
		}),
		{ numRuns: count(60, 2000), seed: seed() },
	)
})

test('one more test never raises what the others have together by itself', () => {
	const tests = fc.array(fc.array(log, { minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 8 })
	fc.assert(
		fc.property(tests, (given) => {
			const silent = effectSizes.map(() => -Infinity)
			expect(logEvidence([...given, silent])).toBeLessThanOrEqual(logEvidence(given))
		}),
		{ numRuns: count(100, 2000), seed: seed() },
	)
})
