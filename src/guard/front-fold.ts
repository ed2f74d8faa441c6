import { addCounts, noCounts } from './arms.ts'
import { beginLook, createFold, type Fold, type FoldOptions, foldSample } from './fold.ts'
import type { Alarm, Counts, Sample } from './look.ts'

// What is in front of the shares goes to the canaries by choice: it is no fair sample of the traffic, so no test compares
// it. Its failures are the canary's all the same: they are held against the hard limit, and told.

export type FrontFold = { readonly fold: Fold; counts: Counts }

export function createFrontFold(options: FoldOptions): FrontFold {
	return { fold: createFold(options), counts: noCounts }
}

/** Adds one flush, whose canaries are those of what is in front, beside the baseline that the shares have. */
export function foldFront(front: FrontFold, sample: Sample): Alarm | null {
	for (const { completed, errors } of Object.values(sample.canaries))
		front.counts = addCounts(front.counts, { requests: Math.max(completed, errors), errors })
	const alarm = foldSample(front.fold, sample)
	return alarm === null ? null : { ...alarm, by: 'front' }
}

/** What came since the last look; the next begins. */
export function closeFront(front: FrontFold): Counts {
	const { counts } = front
	front.counts = noCounts
	beginLook(front.fold)
	return counts
}
