import { describe, expect, test } from 'vitest'
import { payoff } from '#guard/bet.ts'
import { addProofs, goodness, isProven, noProofs, proofBets, requestsUntilProof } from '#guard/non-inferiority.ts'
import { fair, meanWinnings } from './exact-mean.ts'

describe('no bet is more than fair on a canary that is just too bad', () => {
	const sizes = [1, 3, 10, 30].flatMap((canary) => [0, 1, 10, 60].map((baseline) => [canary, baseline] as const))
	test.for(sizes)('%i canary and %i baseline requests', ([canaryRequests, baselineRequests]) => {
		for (const share of [0, 0.001, 0.01, 0.1, 0.3, 0.49]) {
			const canary = { requests: canaryRequests, errorShare: 2 * share + 0.005 }
			const baseline = { requests: baselineRequests, errorShare: share }
			for (const bet of proofBets(canaryRequests, baselineRequests)) {
				expect(meanWinnings(bet, canary, baseline)).toBeLessThanOrEqual(fair)
			}
		}
	})
})

function proofsAfter(canary: { requests: number; errors: number }, baseline: { requests: number; errors: number }) {
	const bets = proofBets(canary.requests, baseline.requests)
	return addProofs(
		noProofs,
		bets.map((bet) => payoff(bet, { canary, baseline })),
	)
}

test('without errors about 760 canary requests are a proof', () => {
	const baseline = { requests: 15_000, errors: 0 }
	expect(isProven(proofsAfter({ requests: 760, errors: 0 }, baseline))).toBe(true)
	expect(isProven(proofsAfter({ requests: 750, errors: 0 }, baseline))).toBe(false)
	expect(
		requestsUntilProof(
			noProofs,
			goodness.map((share) => 0.005 * (1 - share)),
		),
	).toBe(756)
})

test('an error ends the bet on none, the others live on', () => {
	const proofs = proofsAfter({ requests: 100, errors: 1 }, { requests: 900, errors: 1 })
	expect(proofs[0]).toBe(-Infinity)
	expect(proofs.slice(1).every(Number.isFinite)).toBe(true)
	expect(
		requestsUntilProof(
			proofs,
			goodness.map((share) => 0.005 * (1 - share)),
		),
	).toBeGreaterThan(760)
})

test('the missing requests are the smallest number that is enough', () => {
	const growths = [-Infinity, 0.002, 0.001, 0.0005, -0.001]
	for (const proofs of [noProofs, [-3, -2, -1, 0, 0.5], [-Infinity, -40, -30, -20, -10]]) {
		const missing = requestsUntilProof(proofs, growths)
		const at = (requests: number) => proofs.map((proof, index) => proof + requests * (growths[index] ?? 0))
		expect(isProven(at(missing))).toBe(true)
		expect(isProven(at(missing - 1))).toBe(false)
	}
	expect(requestsUntilProof([5, 5, 5, 5, 5], growths)).toBe(0)
})
