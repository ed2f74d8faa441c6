import type { RolloutPolicySpec, RolloutStep } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import { shareOf, shareOfAll, splitBetween } from '#plan/split.ts'
import type { Rollout } from './rollout.ts'

/**
 * The shares that the canaries together have at each step: the policy's steps that lie between `good` and `target`,
 * then the target (rules, motion 1). The first may be 0, where something goes there all the same: what is in front, or
 * copies. Where the target leaves the baseline less than is to be held back, a step that leaves it as much comes before
 * it, and what lies nearer to the target is left out.
 */
export function ladderOf(policy: RolloutPolicySpec, good: Split, target: Split, canaries: readonly Target[]): number[] {
	const from = shareOfAll(good, canaries)
	const to = shareOfAll(target, canaries)
	const hasFirst = from === 0 && (policy.front.length > 0 || policy.mirrorPpm > 0)
	const most = to - policy.holdBackPpm
	const between = policy.steps
		.map(({ sharePpm }) => sharePpm)
		.filter((share) => (share > from || (share === 0 && hasFirst)) && share < to && share <= most)
	const heldBack = to - Math.max(0, policy.holdBackPpm - baselineShareOf(good, target))
	const steps = [...between, ...(heldBack > from ? [heldBack] : []), to]
	return [...new Set(steps)].sort((left, right) => left - right)
}

/** What those that fall have at the target. */
function baselineShareOf(good: Split, target: Split): number {
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

/** The shares in force at a step; step -1 is `good`. */
export function splitAtStep(rollout: Pick<Rollout, 'good' | 'target' | 'canaries' | 'stepsPpm'>, step: number): Split {
	const { good, target, canaries, stepsPpm } = rollout
	const share = stepsPpm[step]
	if (share === undefined) return good
	const from = shareOfAll(good, canaries)
	const to = shareOfAll(target, canaries)
	return splitBetween(good, target, share - from, to - from)
}

/** The shares that a rollout has in force now. */
export function splitInForce(rollout: Rollout): Split {
	switch (rollout.phase.kind) {
		case 'rollingBack':
		case 'rolledBack':
		case 'aborted':
			return rollout.good
		case 'succeeded':
			return rollout.target
		case 'pending':
		case 'stepping':
		case 'held':
		case 'paused':
			return splitAtStep(rollout, rollout.step)
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
