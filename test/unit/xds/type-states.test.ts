import { expect, test } from 'vitest'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { perType, sendOrder } from '#xds/order.ts'
import type { TypeState } from '#xds/standing.ts'
import { allPending, typeStates } from '#xds/type-states.ts'

const names: readonly TypeState[] = ['current', 'pending', 'rejected']

test('each way to stand is one object, and says what it was made of', () => {
	const seen = new Set<object>()
	const ways = names.length ** sendOrder.length
	for (let way = 0; way < ways; way += 1) {
		const stateOf = (typeUrl: TypeUrl) =>
			names[Math.floor(way / names.length ** sendOrder.indexOf(typeUrl)) % names.length] ?? 'pending'
		const states = typeStates(stateOf)
		expect(states).toEqual(perType(stateOf))
		expect(typeStates(stateOf)).toBe(states)
		seen.add(states)
	}
	expect(seen.size).toBe(ways)
})

test('at first nothing is known', () => {
	expect(Object.values(allPending)).toEqual(Object.values(typeUrls).map(() => 'pending'))
})
