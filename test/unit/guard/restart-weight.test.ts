import { expect, test } from 'vitest'
import { restartWeight, tailMass, tailTerm } from '#guard/restart-weight.ts'

const looks = 200_000

test('the tail has at most the mass that it is divided by, and hardly less', () => {
	let sum = 0
	for (let look = 1; look <= looks; look += 1) sum += tailTerm(look)
	const beyond = (1 + 1 / (looks + 1)) / Math.log(looks + 1)
	expect(sum + beyond).toBeLessThanOrEqual(tailMass)
	expect(sum + beyond).toBeGreaterThan(tailMass - 0.001)
	// The bound on what lies beyond holds from anywhere: it shrinks by at least the terms that it loses.
	for (const from of [1, 2, 10, 1000]) {
		const bound = (last: number) => (1 + 1 / (last + 1)) / Math.log(last + 1)
		expect(bound(from) - bound(from + 1)).toBeGreaterThan(tailTerm(from + 1))
	}
})

test.for([1, 2, 5, 40])('all weights of a rollout with %i steps are at most 1 together', (steps) => {
	let sum = (0.5 * (1 + 1 / (looks + 1))) / Math.log(looks + 1) / tailMass
	for (let look = 1; look <= looks; look += 1) sum += restartWeight({ look, stepStart: look <= steps, steps })
	expect(sum).toBeLessThanOrEqual(1)
	expect(sum).toBeGreaterThan(0.999)
})

test('it never ends', () => {
	expect(restartWeight({ look: 1_000_000, stepStart: false, steps: 5 })).toBeGreaterThan(0)
})

test('a step start weighs as much whenever it comes', () => {
	for (const look of [1, 13, 5000]) {
		const gain =
			restartWeight({ look, stepStart: true, steps: 4 }) - restartWeight({ look, stepStart: false, steps: 4 })
		expect(gain).toBeCloseTo(0.25 / 4, 12)
	}
})
