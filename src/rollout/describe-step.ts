import { formatSplit } from '#plan/split.ts'
import { describeShare } from './describe-share.ts'
import { splitInForce } from './ladder.ts'
import type { Rollout } from './rollout.ts'
import { describeWave } from './wave.ts'

/** What a step gives, for people: `canary at 25 %`, `at 10 % of the proxies`. */
export function describeStep(rollout: Rollout, step: number): string {
	if (rollout.wave !== null) return `at ${describeWave(rollout, step)}`
	return `canary ${describeShare(rollout, step)}`
}

/** What is in force, for people: `serviceB 75 % · serviceBv2 25 %`, `changed at one proxy`. */
export function describeInForce(rollout: Rollout): string {
	if (rollout.wave === null) return formatSplit(splitInForce(rollout))
	switch (rollout.phase.kind) {
		case 'rollingBack':
		case 'rolledBack':
		case 'aborted':
			return 'what all proxies had before'
		case 'succeeded':
			return 'changed at all proxies'
		case 'pending':
		case 'stepping':
		case 'held':
		case 'paused':
			return `changed at ${describeWave(rollout, rollout.step)}`
	}
}
