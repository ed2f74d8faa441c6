// Which name was meant: the known name with the least edits (insert, drop, replace, or swap two neighbours).

const longestName = 64
const mostEdits = 3

/**
 * The name in `names` that is nearest to `written`, or null when none is near. Case does not count as an edit, and of
 * equally near names the first in the order of code units wins. A name of n characters may be off by n/3 edits, 3 at most.
 */
export function nearestName(written: string, names: Iterable<string>): string | null {
	if (written.length > longestName) return null
	const wanted = written.toLowerCase()
	let nearest: string | null = null
	let fewest = Math.min(mostEdits, Math.max(1, Math.floor(written.length / 3))) + 1
	for (const name of names) {
		if (Math.abs(name.length - wanted.length) >= fewest + (nearest === null ? 0 : 1)) continue
		const edits = countEdits(wanted, name.toLowerCase(), fewest)
		if (edits < fewest || (edits === fewest && nearest !== null && name < nearest)) {
			nearest = name
			fewest = edits
		}
	}
	return nearest
}

/** Optimal string alignment distance; gives up, with a number above `bound`, once it must be above it. */
function countEdits(left: string, right: string, bound: number): number {
	let beforeLast: number[] = []
	let last = Array.from({ length: right.length + 1 }, (_, index) => index)
	for (let row = 1; row <= left.length; row++) {
		const current = [row]
		for (let column = 1; column <= right.length; column++) {
			current.push(editsAt({ left, right, row, column, current, last, beforeLast }))
		}
		if (Math.min(...current) > bound) return bound + 1
		beforeLast = last
		last = current
	}
	return last[right.length] ?? bound + 1
}

type Cell = {
	left: string
	right: string
	row: number
	column: number
	current: number[]
	last: number[]
	beforeLast: number[]
}

function editsAt({ left, right, row, column, current, last, beforeLast }: Cell): number {
	const same = left[row - 1] === right[column - 1]
	const best = Math.min(
		(last[column] ?? 0) + 1,
		(current[column - 1] ?? 0) + 1,
		(last[column - 1] ?? 0) + (same ? 0 : 1),
	)
	const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
	return swapped ? Math.min(best, (beforeLast[column - 2] ?? 0) + 1) : best
}
