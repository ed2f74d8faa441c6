import type { TypeUrl } from '#compile/compiled.ts'
import { perType, sendOrder } from './order.ts'
import type { TypeState } from './standing.ts'

/** Where a proxy stands with each type. One object for all proxies that stand alike. */
export type TypeStates = Readonly<Record<TypeUrl, TypeState>>

const known = new Map<number, TypeStates>()
const digits: Readonly<Record<TypeState, number>> = { current: 0, pending: 1, rejected: 2 }
const names = Object.keys(digits) as TypeState[]

export function typeStates(stateOf: (typeUrl: TypeUrl) => TypeState): TypeStates {
	let code = 0
	for (const typeUrl of sendOrder) code = code * names.length + digits[stateOf(typeUrl)]
	return known.get(code) ?? remember(code)
}

function remember(code: number): TypeStates {
	let left = code
	const inReverse = sendOrder.map(() => {
		const name = names[left % names.length] ?? 'pending'
		left = Math.floor(left / names.length)
		return name
	})
	const states = perType((typeUrl) => inReverse[sendOrder.length - 1 - sendOrder.indexOf(typeUrl)] ?? 'pending')
	known.set(code, states)
	return states
}

export const allPending: TypeStates = typeStates(() => 'pending')

/** Where it stands as a whole: as with the worst type. */
export function stateOfAll(states: TypeStates): TypeState {
	const all = sendOrder.map((typeUrl) => states[typeUrl])
	if (all.includes('rejected')) return 'rejected'
	return all.includes('pending') ? 'pending' : 'current'
}
