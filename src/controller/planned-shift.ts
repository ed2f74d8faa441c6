import { estimateProofRequests } from '#guard/estimate.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { nameOfGroup } from '#plan/join-shifts.ts'
import type { ShiftGroup, Split } from '#plan/plan.ts'
import { formatSplit, shareOfAll } from '#plan/split.ts'
import { describeFront } from '#rollout/describe-front.ts'
import { describeLanes } from '#rollout/describe-step.ts'
import { describeUsers } from '#rollout/describe-sticky.ts'
import { demandsCounters, drawnOf, errorsGuardOf } from '#rollout/guards-of-policy.ts'
import { demandsOfStep, isHeldBack, ladderOf, splitAtStep } from '#rollout/ladder.ts'
import { lanesOf } from '#rollout/lanes.ts'
import { describeGuards } from './describe-guards.ts'
import { type PlannedClusters, plannedClusters } from './planned-clusters.ts'
import { outlookOfShift, type ShiftOutlook, type TrafficSource } from './shift-outlook.ts'

/** What a plan says of a rollout of weights. */
export type PlannedShift = {
	readonly kind: 'shift'
	/** What its rollout will be called, but for the number: `router/route`, of several routes `router`. */
	readonly rollout: string
	/** Its routes. Those of one lane have the same shares. */
	readonly lanes: readonly { readonly routes: readonly string[]; readonly before: string; readonly after: string }[]
	/** Routes that would belong to it, and for want of room are rollouts besides. */
	readonly overflow: number
	/** What the weights share out, and what the proof is made of. Weights of a TCP route hold for new connections only. */
	readonly unit: 'requests' | 'connections'
	/** Whether its own counters can be told from others'; what each step waits for besides time, in words. */
	readonly clusters: PlannedClusters
	readonly guardedBy: string
	/** Which requests go to the rising targets from the first step on, whatever their share, in words; null: none. */
	readonly front: string | null
	/** Whose requests stay together, and what that means for the guard, in words; null: all are drawn by chance. */
	readonly users: string | null
	readonly steps: readonly PlannedStep[]
	readonly bakeMs: number
	/** The least it takes: all minimum durations and the bake, if evidence never has to be waited for. */
	readonly leastMs: number
	/** Null where nothing is known of the traffic. */
	readonly outlook: ShiftOutlook | null
}

export type PlannedStep = {
	/** What the rising targets together have. */
	readonly canarySharePpm: number
	/** Of so many requests they are sent copies. */
	readonly mirrorPpm: number
	readonly shares: string
	/** `holdBack`: the baseline has something still, and the bake is done. */
	readonly kind: 'rise' | 'holdBack' | 'last'
	readonly minDurationMs: number
	readonly minRequests: number
	/** `person`: it ends only when somebody approves it. */
	readonly gate: 'none' | 'person'
	/**
	 * About how many canary requests the proof takes if both versions fail alike; null where none is asked for, be it by the
	 * policy or because the step gives no share. `never`: so much fails that no number of them is proof enough.
	 */
	readonly proofRequests: number | 'never' | null
}

export type Between = { readonly before: Mesh; readonly after: Mesh; readonly traffic: TrafficSource | null }

export function plannedShift(group: ShiftGroup, { before: now, after: mesh, traffic }: Between): PlannedShift {
	const { shifts, rising, policy, overflow } = group
	const lanes = lanesOf(shifts)
	const ladder = { lanes, canaries: rising, stepsPpm: ladderOf(policy, lanes, rising) }
	const demanded = ladder.stepsPpm.map((canarySharePpm, step) => {
		const shares = lanes.map((lane) => splitAtStep(ladder, lane, step))
		const at = { policy, stepsPpm: ladder.stepsPpm, step }
		const { minDurationMs, minRequests, gate } = demandsOfStep(at)
		const mirrorPpm = canarySharePpm === 0 ? policy.mirrorPpm : 0
		return { canarySharePpm, mirrorPpm, shares, kind: kindOfStep(at), minDurationMs, minRequests, gate }
	})
	const outlook = traffic === null ? null : outlookOfShift(group, demanded, { mesh: now, source: traffic })
	const errorShare = outlook?.errorShare ?? supposedErrorShare
	const steps = demanded.map(
		({ shares, ...rest }, step): PlannedStep => ({
			...rest,
			shares: describeLanes(lanes, (lane) => formatSplit(splitAtStep(ladder, lane, step))),
			proofRequests: proofRequestsAt(group, { shares, errorShare }),
		}),
	)
	return {
		kind: 'shift',
		rollout: nameOfGroup(group),
		lanes: lanes.map(({ routes, good, target }) => ({
			routes: routes.map(({ id }) => id),
			before: formatSplit(good, target),
			after: formatSplit(target, good),
		})),
		overflow,
		unit: shifts[0].unit,
		clusters: plannedClusters(group, now, mesh),
		guardedBy: describeGuards(policy),
		front: policy.front.length === 0 ? null : describeFront(policy.front),
		users: describeUsers(policy),
		steps,
		bakeMs: policy.bakeMs,
		leastMs: steps.reduce((total, { minDurationMs }) => total + minDurationMs, 0),
		outlook,
	}
}

function kindOfStep(at: Parameters<typeof isHeldBack>[0]): PlannedStep['kind'] {
	if (isHeldBack(at)) return 'holdBack'
	return at.step === at.stepsPpm.length - 1 ? 'last' : 'rise'
}

/** Where nothing is known of the traffic both versions are taken to fail one request in a thousand. */
const supposedErrorShare = 0.001

/** `shares`: of each lane. */
type Proof = { readonly shares: readonly Split[]; readonly errorShare: number }

function proofRequestsAt(
	{ rising, falling, policy }: ShiftGroup,
	{ shares, errorShare }: Proof,
): PlannedStep['proofRequests'] {
	if (!demandsCounters(policy) || shares.every((split) => shareOfAll(split, rising) === 0)) return null
	const perBaseline = shares.map((split) => shareOfAll(split, rising) / shareOfAll(split, falling))
	const requests = estimateProofRequests({
		baselineErrorShare: errorShare,
		canaryPerBaseline: Math.max(...perBaseline),
		absoluteLimitPpm: errorsGuardOf(policy).absoluteLimitPpm,
		drawn: drawnOf(policy),
	})
	return requests ?? 'never'
}
