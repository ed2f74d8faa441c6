// How long requests took, as Envoy tells it: not each one, but how many took at most so long. Nothing finer than the
// edges can be known.

/**
 * The edges that `sluice bootstrap` has Envoy count at, in ms: about half as much again from one to the next, which is
 * the least that a comparison can tell apart.
 */
export const latencyEdgesMs = [
	1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000,
] as const

/** `atMost[i]` of `samples` requests took at most `edgesMs[i]`; edges rise. */
export type RequestTimes = {
	readonly samples: number
	readonly edgesMs: readonly number[]
	readonly atMost: readonly number[]
}

export const noRequestTimes: RequestTimes = { samples: 0, edgesMs: [], atMost: [] }

/** Of different edges only those that both have are known of the sum. */
export function addRequestTimes(left: RequestTimes, right: RequestTimes): RequestTimes {
	if (left.samples === 0) return right
	if (right.samples === 0) return left
	if (haveSameEdges(left, right)) {
		const atMost = left.atMost.map((count, index) => count + (right.atMost[index] ?? 0))
		return { samples: left.samples + right.samples, edgesMs: left.edgesMs, atMost }
	}
	const edgesMs = left.edgesMs.filter((edge) => right.edgesMs.includes(edge))
	const atMost = edgesMs.map((edge) => atMostOf(left, edge) + atMostOf(right, edge))
	return { samples: left.samples + right.samples, edgesMs, atMost }
}

/** As all Envoys with one bootstrap have them. */
function haveSameEdges({ edgesMs }: RequestTimes, right: RequestTimes): boolean {
	if (edgesMs.length !== right.edgesMs.length) return false
	let before = Number.NEGATIVE_INFINITY
	for (let index = 0; index < edgesMs.length; index += 1) {
		const edge = edgesMs[index] ?? Number.NaN
		// One that comes twice counts as the first of them, where it is looked for.
		if (edge !== right.edgesMs[index] || edge <= before) return false
		before = edge
	}
	return true
}

/** How many took longer than the edge; null where that was not counted. */
export function slowerThan(times: RequestTimes, edgeMs: number): number | null {
	if (times.samples === 0) return 0
	return times.edgesMs.includes(edgeMs) ? Math.max(0, times.samples - atMostOf(times, edgeMs)) : null
}

function atMostOf({ edgesMs, atMost }: RequestTimes, edgeMs: number): number {
	return atMost[edgesMs.indexOf(edgeMs)] ?? 0
}
