import { seededRandom } from '#base/random.ts'
import { type Outcome, type Rule, runRule } from './rule.ts'
import type { Traffic } from './traffic.ts'

export type Repeated = {
	readonly runs: number
	readonly outcomes: readonly Outcome[]
	/** Of all runs, that were taken back, or were done. */
	readonly backShare: number
	readonly doneShare: number
	readonly meanExcessErrors: number
}

/** A prime: seeds that follow one another have no rollout in common. */
const seedDistance = 1_000_003

/** Many rollouts of the same kind, each with random numbers of its own: the same for every rule. */
export function repeatRule(
	rule: Rule,
	traffic: Traffic,
	{ runs, seconds, seed }: { runs: number; seconds: number; seed: number },
): Repeated {
	const outcomes = Array.from({ length: runs }, (_, run) => {
		const random = seededRandom(seed * seedDistance + run)
		return runRule(rule, traffic, { random, seconds })
	})
	const shareOf = (end: Outcome['end']) => outcomes.filter((outcome) => outcome.end === end).length / runs
	const excessErrors = outcomes.reduce((sum, outcome) => sum + outcome.excessErrors, 0)
	return {
		runs,
		outcomes,
		backShare: shareOf('back'),
		doneShare: shareOf('done'),
		meanExcessErrors: excessErrors / runs,
	}
}

/** Seconds after which a share of all runs had ended so; Infinity when fewer did. */
export function secondsUntil({ outcomes }: Repeated, { end, share }: { end: 'back' | 'done'; share: number }): number {
	const seconds = outcomes.map((outcome) => (outcome.end === end ? outcome.seconds : Infinity))
	seconds.sort((left, right) => left - right)
	return seconds[Math.min(seconds.length - 1, Math.floor(seconds.length * share))] ?? Number.NaN
}

export function medianUntil(repeated: Repeated, end: 'back' | 'done'): number {
	return secondsUntil(repeated, { end, share: 0.5 })
}

/** Of those that were taken back; NaN of none. */
export function medianOfBack({ outcomes }: Repeated): number {
	const back = outcomes.filter(({ end }) => end === 'back').map(({ seconds }) => seconds)
	back.sort((left, right) => left - right)
	return back[Math.floor(back.length / 2)] ?? Number.NaN
}
