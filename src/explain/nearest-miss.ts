import type { TriedRoute } from './explained.ts'

/**
 * Of the routes that did not take a request, the one that was probably meant: the path decides, the longest pattern that
 * it matches, else the pattern that it has the longest beginning in common with; then who lacks the fewest conditions.
 * The earliest of equals; null when there was none.
 */
export function nearestMiss(tried: readonly TriedRoute[], path: string): TriedRoute | null {
	let nearest: { readonly route: TriedRoute; readonly rank: readonly number[] } | null = null
	for (const route of tried) {
		const rank = rankOf(route, path)
		if (nearest === null || isBefore(rank, nearest.rank)) nearest = { route, rank }
	}
	return nearest?.route ?? null
}

function rankOf({ failed, pathPattern }: TriedRoute, path: string): readonly number[] {
	const isOtherPath = failed.some(({ name }) => name === 'path')
	const inCommon = isOtherPath ? commonStart(pathPattern, path) : pathPattern.length
	return [isOtherPath ? 1 : 0, -inCommon, failed.length]
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
	const at = left.findIndex((value, index) => value !== right[index])
	return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0)
}

function commonStart(left: string, right: string): number {
	let length = 0
	while (length < left.length && left[length] === right[length]) length += 1
	return length
}
