import { describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '#base/random.ts'
import {
	addToDispersion,
	closeDispersionLook,
	createDispersion,
	type Dispersion,
	isIdle,
	phiOf,
} from '#guard/over-dispersion.ts'
import { seed } from '../../depth.ts'

/** So many looks of what each half counts. */
function watch(looks: number, look: (index: number) => readonly [number, number], requests = 500): Dispersion {
	const memory = createDispersion()
	for (let index = 0; index < looks; index += 1) {
		const [left, right] = look(index)
		addToDispersion(memory, 0, { requests, errors: left })
		addToDispersion(memory, 1, { requests, errors: right })
		closeDispersionLook(memory)
	}
	return memory
}

function failures(random: Random, requests: number, share: number): number {
	let failed = 0
	for (let index = 0; index < requests; index += 1) if (random() < share) failed += 1
	return failed
}

describe('φ', () => {
	const random = seededRandom(seed())
	const independent = () => [failures(random, 500, 0.01), failures(random, 500, 0.01)] as const

	test('of independent errors is about 1', () => {
		const { value, source } = phiOf(watch(400, independent))
		expect(source).not.toBe('default')
		expect(value).toBeGreaterThanOrEqual(1)
		expect(value).toBeLessThan(1.4)
	})

	test('of bursts at one proxy is large, by the halves', () => {
		// In a row, so that each look is as the one before.
		const bursts = (index: number) => (index % 100 < 30 ? ([30, 5] as const) : independent())
		expect(phiOf(watch(400, bursts)).source).toBe('proxies')
		expect(phiOf(watch(400, bursts)).value).toBeGreaterThan(3)
	})

	test('of bursts that all share is large, by the looks', () => {
		const bursts = (index: number) => (index % 12 === 0 ? ([50, 50] as const) : independent())
		expect(phiOf(watch(400, bursts)).source).toBe('baseline')
		expect(phiOf(watch(400, bursts)).value).toBeGreaterThan(3)
	})

	test('a rate that only drifts does not raise it', () => {
		const drift = (index: number) => {
			const share = 0.005 + 0.0001 * index
			return [failures(random, 500, share), failures(random, 500, share)] as const
		}
		expect(phiOf(watch(400, drift)).value).toBeLessThan(1.4)
	})

	test.for([
		['before 30 minutes', 359, () => [5, 4] as const],
		[
			'where hardly a look has errors',
			400,
			(index: number) => (index % 50 === 0 ? ([1, 0] as const) : ([0, 0] as const)),
		],
		['without any', 400, () => [0, 0] as const],
	] as const)('is the default %s', ([, looks, look]) => {
		expect(phiOf(watch(looks, look))).toEqual({ value: 3, source: 'default' })
	})

	test('one proxy has no other half: its looks tell', () => {
		const memory = createDispersion()
		for (let index = 0; index < 400; index += 1) {
			addToDispersion(memory, 0, { requests: 500, errors: index % 12 === 0 ? 60 : 5 })
			closeDispersionLook(memory)
		}
		expect(phiOf(memory)).toMatchObject({ source: 'baseline' })
	})

	test('forgets what is long ago', () => {
		const early = (index: number) => (index < 60 && index % 3 === 0 ? ([60, 0] as const) : independent())
		expect(phiOf(watch(400, early)).value).toBeGreaterThan(2)
		expect(phiOf(watch(900, early)).value).toBeLessThan(1.4)
	})
})

test('a memory is of fixed size, and idle when nothing came for as long as it remembers', () => {
	const size = (looks: number) => JSON.stringify(watch(looks, () => [5, 4])).length
	expect(size(20_000)).toBeLessThan(size(420) + 100)
	const memory = watch(100, () => [5, 4])
	expect(isIdle(memory)).toBe(false)
	for (let index = 0; index < 500; index += 1) closeDispersionLook(memory)
	expect(isIdle(memory)).toBe(true)
})
