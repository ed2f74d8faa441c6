import { limits } from '#base/limits.ts'

/** Bytes that have come in pieces, of which more are to come. */
export type Pieces = {
	bytes(): number
	/** It must not change any more. */
	add(piece: Buffer): void
	/** All of them with this last one, in one place that is another's with the next call of any: to be used at once. */
	takeWith(last: Buffer): Buffer
}

const nothing = Buffer.alloc(0)

export function createPieces(): Pieces {
	let loose: Buffer[] = []
	let looseBytes = 0
	/** A piece of one byte is an object of a hundred: when there are many they are gathered in a place that doubles. */
	let place: Buffer = nothing
	let gathered = 0

	function gather(): void {
		const needed = gathered + looseBytes
		if (needed > place.length) {
			const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * place.length))
			place.copy(larger, 0, 0, gathered)
			place = larger
		}
		for (const piece of loose) gathered += piece.copy(place, gathered)
		loose = []
		looseBytes = 0
	}

	return {
		bytes: () => gathered + looseBytes,
		add(piece) {
			loose.push(piece)
			looseBytes += piece.length
			if (loose.length >= limits.xdsPiecesLoose) gather()
		},
		takeWith(last) {
			const all = putTogether([place.subarray(0, gathered), ...loose, last])
			loose = []
			looseBytes = 0
			place = nothing
			gathered = 0
			return all
		},
	}
}

/** Where messages of some KB are put together, one after the other: thousands a second would be as much garbage. */
const workbench = Buffer.allocUnsafeSlow(64 * 1024)

function putTogether(pieces: readonly Buffer[]): Buffer {
	const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
	if (bytes > workbench.length) return Buffer.concat(pieces, bytes)
	let at = 0
	for (const piece of pieces) at += piece.copy(workbench, at)
	return workbench.subarray(0, at)
}
