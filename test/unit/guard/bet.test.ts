import { expect, test } from 'vitest'
import { fromStored, logAddExp, logMeanExp, payoff, toStored } from '#guard/bet.ts'

test('logAddExp adds where exp would overflow, and knows nothing as nothing', () => {
	expect(logAddExp(1000, 1000)).toBeCloseTo(1000 + Math.log(2), 12)
	expect(logAddExp(0, -1000)).toBe(0)
	expect(logAddExp(-Infinity, -2)).toBe(-2)
	expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity)
})

test('logMeanExp', () => {
	expect(logMeanExp([0, Math.log(3)])).toBeCloseTo(Math.log(2), 12)
	expect(logMeanExp([-Infinity, 900])).toBeCloseTo(900 - Math.log(2), 12)
	expect(logMeanExp([-Infinity, -Infinity])).toBe(-Infinity)
	expect(logMeanExp([])).toBe(-Infinity)
})

test('a bet that one error ends loses nothing without errors', () => {
	const bet = { onCanaryError: -Infinity, onBaselineError: 1, perCanaryRequest: 0.5 }
	const baseline = { requests: 4, errors: 2 }
	expect(payoff(bet, { canary: { requests: 2, errors: 0 }, baseline })).toBe(3)
	expect(payoff(bet, { canary: { requests: 2, errors: 1 }, baseline })).toBe(-Infinity)
})

test('what JSON cannot hold is stored as null', () => {
	expect([-Infinity, -1.5].map(toStored)).toEqual([null, -1.5])
	expect([null, -1.5].map(fromStored)).toEqual([-Infinity, -1.5])
})
