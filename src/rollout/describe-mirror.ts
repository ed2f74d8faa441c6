import type { SplitTarget } from '#plan/plan.ts'
import { formatShare, nameOf } from '#plan/split.ts'

/** For people: `of 10 % of the requests to serviceBv2`. */
export function describeMirror(copies: readonly SplitTarget[]): string {
	return copies
		.map(({ virtualNode, sharePpm }) => `of ${formatShare(sharePpm)} of the requests to ${nameOf(virtualNode)}`)
		.join(', ')
}
