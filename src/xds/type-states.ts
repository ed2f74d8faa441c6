import { assert } from '#base/assert.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import { perType, sendOrder } from './order.ts'
import type { TypeState } from './standing.ts'

/** Where a proxy stands with each type. One object for all proxies that stand alike. */
export type TypeStates = {
	/** Below `typeStatesCount`: so a byte says where a proxy stands. */
	readonly code: number
	readonly of: Readonly<Record<TypeUrl, TypeState>>
	/** As with the worst type. */
	readonly whole: TypeState
	readonly hasPending: boolean
	readonly hasRejected: boolean
}

const digits: Readonly<Record<TypeState, number>> = { current: 0, pending: 1, rejected: 2 }
const names = Object.keys(digits) as TypeState[]

export const typeStatesCount = names.length ** sendOrder.length

const byCode = Array.from({ length: typeStatesCount }, (_, code) => statesOf(code))

export function typeStates(stateOf: (typeUrl: TypeUrl) => TypeState): TypeStates {
	let code = 0
	for (const typeUrl of sendOrder) code = code * names.length + digits[stateOf(typeUrl)]
	return typeStatesOf(code)
}

export function typeStatesOf(code: number): TypeStates {
	const states = byCode[code]
	assert(states !== undefined, 'a code of states is below their number')
	return states
}

function statesOf(code: number): TypeStates {
	let left = code
	const inReverse = sendOrder.map(() => {
		const name = names[left % names.length] ?? 'pending'
		left = Math.floor(left / names.length)
		return name
	})
	const of = perType((typeUrl) => inReverse[sendOrder.length - 1 - sendOrder.indexOf(typeUrl)] ?? 'pending')
	const [hasPending, hasRejected] = [inReverse.includes('pending'), inReverse.includes('rejected')]
	return { code, of, whole: hasRejected ? 'rejected' : hasPending ? 'pending' : 'current', hasPending, hasRejected }
}

export const allPending: TypeStates = typeStates(() => 'pending')
