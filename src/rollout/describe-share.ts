import { formatShare } from '#plan/split.ts'
import type { Rollout } from './rollout.ts'

/** What canaries have at a step, for people: `at 25 %`, `by what is in front alone`. */
export function describeShare({ stepsPpm }: Pick<Rollout, 'stepsPpm'>, step: number): string {
	const sharePpm = stepsPpm[step] ?? 0
	return sharePpm === 0 ? 'by what is in front alone' : `at ${formatShare(sharePpm)}`
}
