import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** How many fields may still be read of a message and all that lies in it. */
export type FieldBudget = { left: number }

/**
 * Reads a message of somebody who may mean harm. In a few bytes a field each, a message of some MB holds millions of them,
 * all within its size: here reading throws when there are more than the budget has left, and for a group, which no message
 * of Envoy's has, and which is passed over as one field with any number inside.
 */
export class BoundedReader extends BinaryReader {
	readonly #budget: FieldBudget

	/** @param budget the same for messages that lie in each other */
	constructor(bytes: Uint8Array, budget: FieldBudget) {
		super(bytes)
		this.#budget = budget
	}

	override tag(): [number, WireType] {
		this.#budget.left -= 1
		if (this.#budget.left < 0) throw new Error('more fields than a message may have')
		return super.tag()
	}

	override skip(wireType: WireType, field: number): Uint8Array {
		if (wireType === WireType.StartGroup) throw new Error(`field ${field} is a group`)
		return super.skip(wireType, field)
	}
}
