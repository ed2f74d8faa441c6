import type { ShiftGroup } from '#plan/plan.ts'
import { isSameSplit, isSameTarget, shareOfAll } from '#plan/split.ts'
import { changeStep } from './change-step.ts'
import { ladderOf, splitInForce } from './ladder.ts'
import { lanesOf, partitionOf } from './lanes.ts'
import { type Lane, type Rollout, routesOf } from './rollout.ts'
import { newGuard } from './start-rollout.ts'

/**
 * The same canaries, another target (rules, motion 4): the weights in force stay, the evidence starts afresh. Null when
 * the shares in force do not lie on the way from `good` to the new target, or its routes are no longer one rollout, or
 * cannot be counted as before: then the rollout must first go back.
 * @param group what is asked of its routes, from their last good shares
 */
export function retargetRollout(rollout: Rollout, group: ShiftGroup, revision: string): Rollout | null {
	if (group.shifts.length !== routesOf(rollout).length) return null
	const { rising: canaries, falling: baseline, policy } = group
	if (!isSameList(canaries, rollout.canaries) || !isSameList(baseline, rollout.baseline)) return null
	const lanes = lanesOf(group.shifts)
	const moved = rollout.step >= 0
	const isCountedAlike = partitionOf(lanes) === partitionOf(rollout.lanes)
	if (!isCountedAlike && (moved || rollout.clones !== 'none')) return null
	const sharesOf = (lane: Lane) => shareOfAll(splitInForce(rollout, lane), canaries)
	const reached = Math.max(...rollout.lanes.map(sharesOf))
	const ladder = ladderOf(policy, lanes, canaries)
	// Less than what is in force: a step down, which needs no evidence. More: the step in force stays the first one.
	const isLess = lanes.every((lane, index) => {
		const before = rollout.lanes[index]
		return before !== undefined && shareOfAll(lane.target, canaries) <= sharesOf(before)
	})
	const wanted = ladder.slice(-1)
	const stepsPpm = !moved ? ladder : isLess ? wanted : [reached, ...ladder.filter((share) => share > reached)]
	// Clusters are brought before the first step: what is in front, and a mirror in force, stay what they were then. And
	// users who are drawn by something else would lose what they have.
	const { front, mirrorPpm, sticky } = moved ? rollout.policy : policy
	const next: Rollout = {
		...changeStep(rollout, moved ? 0 : -1),
		lanes,
		revision,
		canaries,
		baseline,
		policy: { ...policy, front, mirrorPpm, sticky },
		stepsPpm,
		guard: newGuard({ policy, canaries, stepsPpm, phi: rollout.phi }),
	}
	return moved && !isLess && !isSameInForce(rollout, next) ? null : next
}

function isSameInForce(before: Rollout, after: Rollout): boolean {
	return after.lanes.every((lane, index) => {
		const old = before.lanes[index]
		return old !== undefined && isSameSplit(splitInForce(after, lane), splitInForce(before, old))
	})
}

function isSameList(left: Rollout['canaries'], right: Rollout['canaries']): boolean {
	return left.length === right.length && left.every((target) => right.some((other) => isSameTarget(target, other)))
}
