import { formatSplit, nameOf } from '#plan/split.ts'
import { describeShare } from './describe-share.ts'
import { splitInForce } from './ladder.ts'
import type { Lane, Rollout } from './rollout.ts'
import { describeWave } from './wave.ts'

/** What a step gives, for people: `canary at 25 %`, `at 10 % of the proxies`. */
export function describeStep(rollout: Rollout, step: number): string {
	if (rollout.wave !== null) return `at ${describeWave(rollout, step)}`
	return `canary ${describeShare(rollout, step)}`
}

/** What is in force, for people: `serviceB 75 % · serviceBv2 25 %`, `changed at one proxy`. */
export function describeInForce(rollout: Rollout): string {
	if (rollout.wave === null) return describeLanes(rollout.lanes, (lane) => formatSplit(splitInForce(rollout, lane)))
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
		case 'ramping':
			return `changed at ${describeWave(rollout, rollout.step)}`
	}
}

/** What is said of each lane; with the names of its routes where there are several lanes. */
export function describeLanes(lanes: readonly Lane[], describe: (lane: Lane) => string): string {
	const [only, ...others] = lanes
	if (only !== undefined && others.length === 0) return describe(only)
	const names = ({ routes }: Lane) => routes.map(({ id }) => nameOf(id)).join(', ')
	return lanes.map((lane) => `${names(lane)}: ${describe(lane)}`).join('; ')
}
