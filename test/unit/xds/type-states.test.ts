import { expect, test } from 'vitest'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { perType, sendOrder } from '#xds/order.ts'
import type { TypeState } from '#xds/standing.ts'
import { allPending, typeStates, typeStatesCount, typeStatesOf } from '#xds/type-states.ts'

const names: readonly TypeState[] = ['current', 'pending', 'rejected']

test('each way to stand is one object, and says what it was made of', () => {
	const seen = new Set<object>()
	const ways = typeStatesCount
	for (let way = 0; way < ways; way += 1) {
		const stateOf = (typeUrl: TypeUrl) =>
			names[Math.floor(way / names.length ** sendOrder.indexOf(typeUrl)) % names.length] ?? 'pending'
		const states = typeStates(stateOf)
		expect(states.of).toEqual(perType(stateOf))
		expect(typeStatesOf(states.code)).toBe(states)
		const all = Object.values(states.of)
		expect(states).toMatchObject({ hasPending: all.includes('pending'), hasRejected: all.includes('rejected') })
		expect(states.whole).toBe(names.findLast((name) => name !== 'current' && all.includes(name)) ?? 'current')
		expect(typeStates(stateOf)).toBe(states)
		seen.add(states)
	}
	expect(seen.size).toBe(ways)
})

test('at first nothing is known', () => {
	expect(Object.values(allPending.of)).toEqual(Object.values(typeUrls).map(() => 'pending'))
})
