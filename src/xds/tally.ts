import type { TypeUrl } from '#compile/compiled.ts'
import type { TypeView } from './fleet-view.ts'
import { perType, sendOrder } from './order.ts'
import { type TypeStates, typeStatesCount, typeStatesOf } from './type-states.ts'

/** How many proxies stand in each way. */
export type Tally = {
	add(states: TypeStates, number: number): void
	/** From now on they stand as this says. */
	moveAll(next: (states: TypeStates) => TypeStates): void
	hasPending(): boolean
	views(): Readonly<Record<TypeUrl, TypeView>>
}

export function createTally(): Tally {
	const counts = new Uint32Array(typeStatesCount)

	function add({ code }: TypeStates, number: number): void {
		counts[code] = (counts[code] ?? 0) + number
	}

	/** The ways in which anybody stands. */
	function present(): (readonly [states: TypeStates, number: number])[] {
		const all: (readonly [TypeStates, number])[] = []
		for (let code = 0; code < counts.length; code += 1) {
			const number = counts[code] ?? 0
			if (number > 0) all.push([typeStatesOf(code), number])
		}
		return all
	}

	return {
		add,
		moveAll(next) {
			const all = present()
			counts.fill(0)
			for (const [states, number] of all) add(next(states), number)
		},
		hasPending: () => present().some(([{ hasPending }]) => hasPending),
		views() {
			const views = perType(() => ({ current: 0, pending: 0, rejected: 0 }))
			for (const [{ of }, number] of present()) for (const typeUrl of sendOrder) views[typeUrl][of[typeUrl]] += number
			return views
		},
	}
}
