import { expect, test } from 'vitest'
import { initialState, parseStored } from '#controller/state.ts'

const stored = (schema: number) =>
	JSON.stringify({ state: { ...initialState, schema, rolloutCount: 7 }, content: { a: 'b' } })

test.for([5, 6])('a state of schema %i is read, and written anew as today', (schema) => {
	expect(parseStored(stored(schema))).toEqual({ state: { ...initialState, rolloutCount: 7 }, content: { a: 'b' } })
})

test('a state of another Sluice is refused in words', () => {
	expect(() => parseStored(stored(4))).toThrow(
		'by an older Sluice, whose meshes and rollouts had less in them: schema 4',
	)
	expect(() => parseStored(stored(7))).toThrow('by a newer Sluice: schema 7, this one reads 5 to 6')
})
