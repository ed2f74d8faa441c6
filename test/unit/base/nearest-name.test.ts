import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestName } from '#base/nearest-name.ts'
import { count, seed } from '../../depth.ts'

test.for<[string, string[], string | null]>([
	['wieght', ['weight', 'port'], 'weight'],
	['serviceb', ['serviceA', 'serviceB'], 'serviceB'],
	['serviceC', ['serviceB', 'serviceA'], 'serviceA'],
	['listner', ['listeners', 'backends'], 'listeners'],
	['xyz', ['weight'], null],
	['a', ['b'], 'b'],
	['ab', ['cd'], null],
	['', ['a'], 'a'],
	['x'.repeat(65), ['x'.repeat(65)], null],
	['name', [], null],
])('%j among %j is %j', ([written, names, nearest]) => {
	expect(nearestName(written, names)).toBe(nearest)
})

test('the order of names does not matter', () => {
	const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') })
	fc.assert(
		fc.property(name, fc.uniqueArray(name), (written, names) => {
			expect(nearestName(written, [...names].reverse())).toBe(nearestName(written, names))
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})

test('a known name with one character replaced, dropped or doubled is found among unlike ones', () => {
	const name = fc.string({ minLength: 6, maxLength: 20, unit: fc.constantFrom('a', 'b', 'c', 'd', 'e') })
	const edit = fc.constantFrom('replace', 'drop', 'double')
	fc.assert(
		fc.property(name, edit, fc.nat(), (known, how, drawn) => {
			const at = drawn % known.length
			const inserted = { replace: 'z', drop: '', double: `${known[at]}${known[at]}` }[how]
			const written = known.slice(0, at) + inserted + known.slice(at + 1)
			expect(nearestName(written, ['zzzzzzzzzzzzzzzzzzzzzzzzzz', known])).toBe(known)
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})
