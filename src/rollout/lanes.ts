import type { Shift, Split, Target } from '#plan/plan.ts'
import { isSameSplit, shareOf, splitBetween, splitOfWeights } from '#plan/split.ts'
import type { Lane, Rollout } from './rollout.ts'

/** The routes of shifts that are one rollout, by the shares that they have. */
export function lanesOf(shifts: readonly [Shift, ...Shift[]]): Rollout['lanes'] {
	const [first, ...others] = shifts
	const lanes: [Lane, ...Lane[]] = [laneOfShift(first)]
	for (const shift of others) {
		const index = lanes.findIndex(
			({ good, target }) => isSameSplit(good, shift.before) && isSameSplit(target, shift.after),
		)
		const known = lanes[index]
		if (known === undefined) lanes.push(laneOfShift(shift))
		else lanes[index] = withShift(known, shift)
	}
	return lanes
}

function laneOfShift({ route, before, after, quarantineKey }: Shift): Lane {
	return { routes: [{ id: route, key: quarantineKey }], good: before, target: after }
}

/** A target without a share may be named by one route alone: its cluster is there for that. */
function withShift({ routes, good, target }: Lane, { route, before, after, quarantineKey }: Shift): Lane {
	return {
		routes: [...routes, { id: route, key: quarantineKey }],
		good: splitBetween(good, before, 0, 1),
		target: splitBetween(target, after, 0, 1),
	}
}

/** What all canaries together get beside their shares is theirs in the proportion in which the target has them. */
export function proportionOf(canaries: Rollout['canaries'], { target }: Lane): Split {
	return splitOfWeights(canaries.map((canary) => ({ ...canary, weight: shareOf(target, canary) })))
}

/** Which routes have the same shares: what the clusters and the counts of a rollout go by. */
export function partitionOf(lanes: readonly Lane[]): string {
	return JSON.stringify(lanes.map(({ routes }) => routes.map(({ id }) => id)))
}

/** What a lane is judged by: the canaries, and what of the baseline falls on its routes. */
export function targetsOfLane({ canaries, baseline }: Rollout, lane: Lane): readonly Target[] {
	return [...canaries, ...baselineOfLane(baseline, lane)]
}

export function baselineOfLane(baseline: Rollout['baseline'], { good, target }: Lane): readonly Target[] {
	return baseline.filter((member) => shareOf(target, member) < shareOf(good, member))
}
