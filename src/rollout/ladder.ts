import { limits } from '#base/limits.ts'
import type { RolloutPolicySpec, RolloutStep } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import { shareOf, shareOfAll, splitBetween } from '#plan/split.ts'
import type { Lane, Rollout } from './rollout.ts'

/** The way of one lane, or of a route that is to have one. */
export type Way = Pick<Lane, 'good' | 'target'>

/** What the steps of a rollout are made of. */
export type Ladder = {
	readonly lanes: readonly Way[]
	readonly canaries: readonly Target[]
	readonly stepsPpm: readonly number[]
}

/**
 * The shares that the canaries together have at each step: the policy's steps that lie between `good` and `target` of any
 * lane, then the target (rules, motion 1). A step at which no lane would move is left out; but the first may be 0, where
 * something goes there all the same: what is in front, or copies. Where the target leaves the baseline less than is to be
 * held back, a step that leaves it as much comes before it, and what lies nearer to the target is left out.
 */
export function ladderOf(policy: RolloutPolicySpec, lanes: readonly Way[], canaries: readonly Target[]): number[] {
	const ends = lanes.map((lane) => endsOf(lane, canaries))
	const last = Math.max(...ends.map(({ to }) => to))
	const hasFirst = ends.every(({ from }) => from === 0) && (policy.front.length > 0 || policy.mirrorPpm > 0)
	const isBetween = (share: number) => ends.some(({ from, to }) => share > from && share < to)
	const isStep = (share: number) => isBetween(share) || (share === 0 && hasFirst)
	const written = policy.steps.map(({ sharePpm }) => sharePpm).filter(isStep)
	const kept = Math.min(...lanes.filter((_, index) => ends[index]?.to === last).map(baselineShareOf))
	const heldBack = last - Math.max(0, policy.holdBackPpm - kept)
	const between = [...written.filter((share) => share <= last - policy.holdBackPpm), ...[heldBack].filter(isBetween)]
	const all = [...new Set([...between, last])].sort((left, right) => left - right)
	const ladder = { lanes, canaries, stepsPpm: all }
	return all.filter((_, step) => {
		const next = progressAt(ladder, step + 1)
		return step === all.length - 1 || isLess(progressAt(ladder, step), next)
	})
}

/** What those that fall have at the target. */
function baselineShareOf({ good, target }: Way): number {
	return shareOfAll(
		target,
		target.filter((member) => shareOf(good, member) > member.sharePpm),
	)
}

/** The bake is done here, while the baseline has something still: the step before the last. */
export function isHeldBack({ policy, stepsPpm, step }: Pick<Rollout, 'policy' | 'stepsPpm' | 'step'>): boolean {
	const [here, last] = stepsPpm.slice(-2)
	if (here === undefined || last === undefined || step !== stepsPpm.length - 2) return false
	return last - here <= policy.holdBackPpm
}

/** How far from `good` to `target` all lanes are: 0 … 1, as an exact fraction. */
type Progress = { readonly numerator: number; readonly denominator: number }

const done: Progress = { numerator: 1, denominator: 1 }

/**
 * No lane passes a share that the policy names before the step of that name: whichever comes to it first holds the others
 * back. A lane that begins above the share of a step is held by those of later steps.
 */
function progressAt({ lanes, canaries, stepsPpm }: Ladder, step: number): Progress {
	const ends = lanes.map((lane) => endsOf(lane, canaries))
	return stepsPpm.slice(step, -1).reduce((least, share) => {
		return ends
			.filter(({ from, to }) => (share > from || share === 0) && share < to)
			.map(({ from, to }) => ({ numerator: share - from, denominator: to - from }))
			.reduce((left, right) => (isLess(right, left) ? right : left), least)
	}, done)
}

function isLess(left: Progress, right: Progress): boolean {
	return left.numerator * right.denominator < right.numerator * left.denominator
}

function endsOf({ good, target }: Way, canaries: readonly Target[]): { readonly from: number; readonly to: number } {
	return { from: shareOfAll(good, canaries), to: shareOfAll(target, canaries) }
}

/** The shares in force on a lane at a step; step -1 is `good`. */
export function splitAtStep(ladder: Ladder, { good, target }: Way, step: number): Split {
	if (ladder.stepsPpm[step] === undefined) return good
	const { numerator, denominator } = progressAt(ladder, step)
	return splitBetween(good, target, numerator, denominator)
}

/** The shares that a lane of a rollout has in force now. */
export function splitInForce(rollout: Rollout, lane: Lane): Split {
	switch (rollout.phase.kind) {
		case 'rollingBack':
		case 'rolledBack':
		case 'aborted':
			return lane.good
		case 'succeeded':
			return lane.target
		case 'pending':
		case 'stepping':
		case 'held':
		case 'paused':
			return splitAtStep(rollout, lane, rollout.step)
		case 'ramping':
			return splitBetween(
				lane.good,
				splitAtStep(rollout, lane, rollout.step),
				rollout.phase.ramp.partsLeft,
				limits.rampParts,
			)
	}
}

/** What the step in force must have, and until when. `warmUpMs` is that of the policy where the step has none. */
export type StepDemands = Omit<RolloutStep, 'sharePpm'> & { readonly warmUpMs: number }

/** At the last step, or where something is held back at the one before it. */
function isBaking(rollout: Pick<Rollout, 'policy' | 'stepsPpm' | 'step'>): boolean {
	const last = rollout.stepsPpm.length - 1
	return isHeldBack({ ...rollout, step: last - 1 }) ? rollout.step === last - 1 : rollout.step === last
}

export function demandsOfStep(rollout: Pick<Rollout, 'policy' | 'stepsPpm' | 'step'>): StepDemands {
	const { policy, stepsPpm, step } = rollout
	const written = policy.steps.find(({ sharePpm }) => sharePpm === stepsPpm[step])
	const leastMs = written?.minDurationMs ?? 0
	return {
		minDurationMs: isBaking(rollout) ? Math.max(policy.bakeMs, leastMs) : leastMs,
		minRequests: written?.minRequests ?? 0,
		warmUpMs: written?.warmUpMs ?? policy.warmUpMs,
		gate: written?.gate ?? 'none',
		deadlineMs: written?.deadlineMs ?? null,
	}
}

export function isLastStep(rollout: Rollout): boolean {
	return rollout.step === rollout.stepsPpm.length - 1
}

type AtStep = Pick<Rollout, 'stepsPpm' | 'step'>

/** The step in force gives the canaries no share: only what is in front, or copies. There is nothing to be compared. */
export function isWithoutShare({ stepsPpm, step }: AtStep): boolean {
	return stepsPpm[step] === 0
}

/** Whether the step in force gives the canaries a share. */
export function hasShare({ stepsPpm, step }: AtStep): boolean {
	return (stepsPpm[step] ?? 0) > 0
}
