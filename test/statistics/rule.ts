import type { Random } from '#base/random.ts'
import { type PlaceFlush, startTraffic, type Traffic } from './traffic.ts'

// Any rule that takes a canary through a rollout, ours or another's, over made-up traffic.

export type Decision = 'goOn' | 'back' | 'done'

export type RunningRule = {
	/** What the canary has of the traffic in the coming seconds. */
	share(): number
	/** What all places counted in the seconds that have passed. */
	take(flushes: readonly PlaceFlush[], seconds: number): Decision
}

export type Rule = { start(): RunningRule }

export type Outcome = {
	/** `open` when the time was over before the rule had decided. */
	readonly end: 'back' | 'done' | 'open'
	readonly seconds: number
	/** What users got above the baseline's share of errors. */
	readonly excessErrors: number
}

export function runRule(
	rule: Rule,
	traffic: Traffic,
	{ random, seconds }: { random: Random; seconds: number },
): Outcome {
	const flushesOf = startTraffic(traffic, random)
	const running = rule.start()
	let excessErrors = 0
	for (let second = 0; second < seconds; second += traffic.flushSeconds) {
		const flushes = flushesOf(second, running.share())
		for (const flush of flushes) excessErrors += flush.excessErrors
		const decision = running.take(flushes, traffic.flushSeconds)
		if (decision !== 'goOn') return { end: decision, seconds: second + traffic.flushSeconds, excessErrors }
	}
	return { end: 'open', seconds, excessErrors }
}
