import { addCounts, noCounts } from './arms.ts'
import { beginLook, createFold, type Fold, type FoldOptions, foldSample } from './fold.ts'
import type { Alarm, Counts, Sample } from './look.ts'

// What goes to the canaries beside their shares, in front of them by choice or as copies, is no fair sample of the
// traffic, so no test compares it. Its failures are the canary's all the same: they are held against the hard limit, and
// told.

export type BesideFold = { readonly by: 'front' | 'mirror'; readonly fold: Fold; counts: Counts }

export function createBesideFold(by: BesideFold['by'], options: FoldOptions): BesideFold {
	return { by, fold: createFold(options), counts: noCounts }
}

/** Adds one flush, whose canaries are those of what comes this way, with the baseline that the shares have. */
export function foldBeside(beside: BesideFold, sample: Sample): Alarm | null {
	for (const { completed, errors } of Object.values(sample.canaries))
		beside.counts = addCounts(beside.counts, { requests: Math.max(completed, errors), errors })
	const alarm = foldSample(beside.fold, sample)
	return alarm === null ? null : { ...alarm, by: beside.by }
}

/** What came since the last look, by all of these ways; the next begins. */
export function closeBeside(ways: readonly BesideFold[]): Counts {
	const counts = ways.reduce((sum, way) => addCounts(sum, way.counts), noCounts)
	for (const way of ways) {
		way.counts = noCounts
		beginLook(way.fold)
	}
	return counts
}
