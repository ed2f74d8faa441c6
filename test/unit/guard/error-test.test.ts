import { describe, expect, test } from 'vitest'
import { payoff } from '#guard/bet.ts'
import { addLook, effectSizes, errorBets, largestLogFactor, logEvidence, noEvidence } from '#guard/error-test.ts'
import tables from '../../golden/guard/error-test/in.json' with { type: 'json' }
import expected from '../../golden/guard/error-test/out.json' with { type: 'json' }
import { fair, meanWinnings } from './exact-mean.ts'

const none = { value: 1, source: 'default' } as const
const alpha = 0.01

/** The restart weights with which the reference figures were computed: half on 5 step starts, half on 720 looks. */
function referenceRestart(look: number): number {
	return look === 1 ? 0.5 / 5 : 0.5 / 720
}

describe('the reference figures', () => {
	test.for(Object.entries(tables))('%s, to 1e-9', ([name, { looks, ...tolerance }]) => {
		const reference = expected[name as keyof typeof expected]
		let evidence: readonly number[] = noEvidence
		const seen = looks.map(
			([canaryRequests = 0, canaryErrors = 0, baselineRequests = 0, baselineErrors = 0], index) => {
				const arms = {
					canary: { requests: canaryRequests, errors: canaryErrors },
					baseline: { requests: baselineRequests, errors: baselineErrors },
				}
				const factors = errorBets(canaryRequests, baselineRequests, tolerance).map((bet) => payoff(bet, arms))
				evidence = addLook(evidence, factors, { alpha, phi: none, restart: referenceRestart(index + 1) })
				return logEvidence([evidence])
			},
		)
		expect(seen.length).toBe(reference.logEvidence.length)
		for (const [index, log] of seen.entries()) {
			expect(Math.abs(log - (reference.logEvidence[index] ?? Number.NaN))).toBeLessThanOrEqual(1e-9)
		}
		expect(seen.map((log) => log >= -Math.log(alpha))).toEqual(reference.alarm)
	})
})

describe('no bet is more than fair on a canary that is just good enough', () => {
	const tolerances = [
		{ ratio: 1, tolerance: 0 },
		{ ratio: 1.25, tolerance: 0.0005 },
		{ ratio: 1, tolerance: 0.02 },
	]
	const sizes = [1, 3, 10, 30].flatMap((canary) => [1, 10, 60].map((baseline) => ({ canary, baseline })))
	const shares = [0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.75]
	const cases = tolerances.flatMap((tolerance) => sizes.map((size) => ({ ...tolerance, ...size })))
	test.for(cases)('$canary and $baseline requests, ratio $ratio, tolerance $tolerance', (given) => {
		for (const share of shares) {
			const canary = { requests: given.canary, errorShare: Math.min(1, given.ratio * share + given.tolerance) }
			const baseline = { requests: given.baseline, errorShare: share }
			for (const bet of errorBets(given.canary, given.baseline, given)) {
				expect(meanWinnings(bet, canary, baseline)).toBeLessThanOrEqual(fair)
			}
		}
	})

	test('and some bet is more than fair on a bad one: the sum above can tell', () => {
		const bets = errorBets(30, 60, { ratio: 1.25, tolerance: 0.0005 })
		const means = bets.map((bet) =>
			meanWinnings(bet, { requests: 30, errorShare: 0.2 }, { requests: 60, errorShare: 0.02 }),
		)
		expect(Math.max(...means)).toBeGreaterThan(2)
	})
})

test.for([
	[0, 50],
	[50, 0],
] as const)('with %i canary and %i baseline requests nothing is won or lost', ([canary, baseline]) => {
	const bets = errorBets(canary, baseline, { ratio: 1.25, tolerance: 0.0005 })
	const arms = { canary: { requests: canary, errors: canary }, baseline: { requests: baseline, errors: baseline } }
	expect(bets.map((bet) => payoff(bet, arms))).toEqual(effectSizes.map(() => 0))
})

test('one look gives at most a third of the evidence that is needed', () => {
	const phi = { value: 1, source: 'default' } as const
	const after = addLook(
		effectSizes.map(() => 0),
		effectSizes.map(() => 50),
		{ alpha, phi, restart: 0 },
	)
	expect(after).toEqual(effectSizes.map(() => largestLogFactor(alpha)))
	expect(largestLogFactor(alpha)).toBeCloseTo(Math.log(100) / 3, 12)
})

test('over-dispersion divides what a look gives; below 1 it is taken as 1', () => {
	const add = (value: number) =>
		addLook([0], [1.2], { alpha, phi: { value, source: 'endpoints' as const }, restart: 0 })[0]
	expect(add(3)).toBeCloseTo(0.4, 12)
	expect(add(0.5)).toBeCloseTo(1.2, 12)
})

test('evidence stays a number however long a bad canary is left alone', () => {
	let evidence: readonly number[] = noEvidence
	for (let look = 0; look < 2000; look += 1) {
		evidence = addLook(
			evidence,
			effectSizes.map(() => 1e15),
			{ alpha, phi: none, restart: 0.001 },
		)
	}
	expect(Number.isFinite(Math.exp(logEvidence([evidence, evidence])))).toBe(true)
})
