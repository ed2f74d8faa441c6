import { describe, expect, test } from 'vitest'
import { seededRandom } from '#base/random.ts'
import { closeLook, createFold, foldSample } from '#guard/fold.ts'
import { judge, startGuard, startStep } from '#guard/judge.ts'
import type { GuardState, Verdict } from '#guard/look.ts'
import { shareFactors } from '#guard/share-test.ts'
import { count, seed } from '../../depth.ts'
import { fair } from './exact-mean.ts'
import { canaryKey, increment, parameters, sample } from './traffic.ts'

describe('every bet is exactly fair on requests that lie as the weights say', () => {
	const cases = [0.001, 0.05, 0.5, 0.9].flatMap((share) => [1, 7, 60].map((requests) => [share, requests] as const))
	test.for(cases)('share %d of %i requests', ([share, requests]) => {
		const means = shareFactors({ canary: 0, baseline: 0 }, share).map(() => 0)
		let logChance = requests * Math.log1p(-share)
		for (let canary = 0; canary <= requests; canary += 1) {
			if (canary > 0) logChance += Math.log(((requests - canary + 1) / canary) * (share / (1 - share)))
			for (const [index, log] of shareFactors({ canary, baseline: requests - canary }, share).entries()) {
				means[index] = (means[index] ?? 0) + Math.exp(logChance + log)
			}
		}
		for (const mean of means) {
			expect(mean).toBeLessThanOrEqual(fair)
			expect(mean).toBeGreaterThan(2 - fair)
		}
	})
})

const expected = 0.05

/** Looks of so many canary and baseline requests, none of them failed. */
function play(looks: readonly (readonly [canary: number, baseline: number])[], share: number | undefined = expected) {
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: 500_000 })
	let state: GuardState = startGuard({ canaries: [canaryKey], parameters })
	const verdicts: Verdict[] = []
	for (const [index, [canary, baseline]] of looks.entries()) {
		foldSample(fold, sample({ canary: increment(canary), baseline: increment(baseline) }))
		const closing = { sequence: index + 1, stepStart: index === 0, warmingUp: false, expected: ['a'], silent: [] }
		const expectedShares = share === undefined ? {} : { [canaryKey]: share }
		const judged = judge(state, closeLook(fold, { ...closing, parameters, expectedShares }), parameters, {
			baselineHasTraffic: true,
		})
		state = judged.state
		verdicts.push(judged.verdict)
	}
	return { state, verdicts, last: verdicts.at(-1) }
}

const repeat = (looks: number, arms: readonly [number, number]) => Array.from({ length: looks }, () => arms)
const codeOf = (verdict: Verdict | undefined) => (verdict?.kind === 'hold' ? verdict.code : verdict?.kind)

describe('weights that are not applied', () => {
	test.for([
		['no request where 5 % are to come', 0, 60],
		['a tenth of them', 2, 398],
		['three times as many', 60, 340],
		['nearly all', 390, 10],
	] as const)('%s: held, never taken back', ([, canary, baseline]) => {
		const { last, verdicts } = play(repeat(8, [canary, baseline]))
		expect(last).toMatchObject({ kind: 'hold', code: 'WEIGHTS_NOT_APPLIED' })
		expect(verdicts.map(({ kind }) => kind)).not.toContain('rollBack')
	})

	test('are told in numbers', () => {
		expect(play(repeat(8, [2, 398])).last).toMatchObject({
			share: { target: canaryKey, expected, canary: 16, baseline: 3184 },
			reason: `${canaryKey} had 16 of 3,200 requests (0.50 %) where the weights say 5.0 %`,
		})
	})

	test('are found in about 200 requests', () => {
		const looks = play(repeat(20, [0, 40])).verdicts.map(codeOf)
		expect(looks.indexOf('WEIGHTS_NOT_APPLIED')).toBeLessThanOrEqual(8)
	})

	test('hold no more once they are applied, nor after another step', () => {
		const late = [...repeat(8, [0, 60]), ...repeat(40, [20, 380])] as const
		expect(codeOf(play(late).last)).not.toBe('WEIGHTS_NOT_APPLIED')
		const next = startStep(play(repeat(8, [0, 60])).state)
		expect(next.canaries[canaryKey]?.share.counts).toEqual([0, 0])
	})

	test('where the share of requests does not tell, nothing is said', () => {
		expect(codeOf(play(repeat(8, [0, 60]), 0).last)).toBe('MORE_REQUESTS')
		expect(codeOf(play(repeat(8, [0, 60]), 1).last)).toBe('MORE_REQUESTS')
	})
})

test('what is near the share is no finding, and what is at it hardly ever one', () => {
	for (const share of [0.75 * expected, 1.3 * expected]) {
		const canary = Math.round(1000 * share)
		expect(play(repeat(60, [canary, 1000 - canary])).verdicts.map(codeOf)).not.toContain('WEIGHTS_NOT_APPLIED')
	}
	const random = seededRandom(seed())
	let found = 0
	const runs = count(60, 3000)
	for (let run = 0; run < runs; run += 1) {
		const looks = Array.from({ length: 60 }, () => {
			const canary = Array.from({ length: 200 }, random).filter((drawn) => drawn < expected).length
			return [canary, 200 - canary] as const
		})
		if (play(looks).verdicts.map(codeOf).includes('WEIGHTS_NOT_APPLIED')) found += 1
	}
	expect(found).toBeLessThanOrEqual(Math.max(1, runs * parameters.alpha))
})
