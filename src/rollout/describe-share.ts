import { formatShare } from '#plan/split.ts'
import type { Rollout } from './rollout.ts'

/** What canaries have at a step, for people: `at 25 %`, `without a share`. */
export function describeShare({ stepsPpm }: Pick<Rollout, 'stepsPpm'>, step: number): string {
	const sharePpm = stepsPpm[step] ?? 0
	return sharePpm === 0 ? 'without a share' : `at ${formatShare(sharePpm)}`
}
