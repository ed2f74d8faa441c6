import { type Split, type Target, wholePpm } from '#plan/plan.ts'
import { isSameTarget } from '#plan/split.ts'

/** A cluster and its weight beside the others of its route. */
export type ClusterWeight = { readonly cluster: string; readonly weight: number }

const ppmPerPercent = wholePpm / 100

/**
 * Shares as Envoy's relative weights, those of 0 included: as whole percents where that is exact, so that people find
 * the 75 and 25 that they wrote, else in parts per million.
 */
export function clusterWeights(split: Split, nameOf: (target: Target) => string): ClusterWeight[] {
	const unit = split.every(({ sharePpm }) => sharePpm % ppmPerPercent === 0) ? ppmPerPercent : 1
	return split.map((target) => ({ cluster: nameOf(target), weight: target.sharePpm / unit }))
}

/**
 * The same for a hash that falls into cumulated weights: in a given order, and always in parts per million, since another
 * total would send every user elsewhere.
 */
export function hashedWeights(
	split: Split,
	order: readonly Target[],
	nameOf: (target: Target) => string,
): ClusterWeight[] {
	const placeOf = (target: Target) => order.findIndex((other) => isSameTarget(other, target))
	return split
		.toSorted((left, right) => placeOf(left) - placeOf(right))
		.map((target) => ({ cluster: nameOf(target), weight: target.sharePpm }))
}

/** All to one cluster. */
export function wholeWeight(cluster: string): ClusterWeight[] {
	return [{ cluster, weight: 100 }]
}
