import { limits } from '#base/limits.ts'
import { egressClusterName } from '#compile/names.ts'
import { type Fate, outlookOfFailure, outlookOfSteps, type Prospect, type StepOutlook } from '#guard/outlook.ts'
import { defaultPhi } from '#guard/over-dispersion.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { type ShiftGroup, type Split, type Target, wholePpm } from '#plan/plan.ts'
import { shareOf, shareOfAll, unionOfTargets, withoutZeros } from '#plan/split.ts'
import { guardParametersOf } from '#rollout/start-rollout.ts'
import type { ClusterTraffic, Traffic } from './traffic-meter.ts'

// What a plan says of time: how long the steps of a shift take at a given traffic, and what could not be seen at it.

export type RouteTraffic = {
	readonly requestsPerSecond: number
	/** Of the versions that have the traffic now, 0 … 1. */
	readonly errorShare: number
}

/** Where a plan has its traffic from. `daemon`: from what a daemon's proxies count. */
export type TrafficSource =
	| ({ readonly kind: 'given' } & RouteTraffic)
	| { readonly kind: 'daemon'; readonly traffic: Traffic }

export type ShiftOutlook = RouteTraffic & {
	/** As the plan's steps. */
	readonly steps: readonly StepOutlook[]
	/** Null: at least one step would never end. */
	readonly totalMs: number | null
	readonly deadlineMs: number
	/** What canaries of growing badness would come to, the slightest first. */
	readonly failures: readonly FailureOutlook[]
}

export type FailureOutlook = { readonly errorShare: number; readonly fate: Fate }

export type PlannedSplitStep = {
	/** Of each lane. */
	readonly shares: readonly Split[]
	readonly minDurationMs: number
	readonly minRequests: number
}

/** Null where the daemon's proxies have counted nothing of the route's targets yet. */
export function outlookOfShift(
	group: ShiftGroup,
	steps: readonly PlannedSplitStep[],
	{ mesh, source }: { readonly mesh: Mesh; readonly source: TrafficSource },
): ShiftOutlook | null {
	const traffic = source.kind === 'given' ? source : trafficOfGroup(group, mesh, source.traffic)
	if (traffic === null) return null
	const { requestsPerSecond, errorShare } = traffic
	const { policy, rising, falling } = group
	const least = (shares: readonly Split[], share: (split: Split) => number) => Math.min(...shares.map(share)) / wholePpm
	const prospect: Prospect = {
		steps: steps.map(({ shares, minDurationMs, minRequests }) => ({
			// Each canary is judged alone: the one with the least traffic is the last to be proven.
			canaryShare: least(shares, (split) => Math.min(...rising.map((target) => shareOf(split, target)))),
			baselineShare: least(shares, (split) => shareOfAll(split, falling)),
			minDurationMs,
			minRequests,
		})),
		requestsPerSecond,
		errorShare,
		warmUpMs: policy.warmUpMs,
		parameters: guardParametersOf({
			policy,
			stepsPpm: steps.map(({ shares }) => Math.max(...shares.map((split) => shareOfAll(split, rising)))),
			phi: defaultPhi,
		}),
	}
	const outlook = outlookOfSteps(prospect, errorShare)
	const horizonMs = Math.min(policy.deadlineMs, limits.outlookMs)
	return {
		requestsPerSecond,
		errorShare,
		steps: outlook,
		totalMs: sumOf(outlook),
		deadlineMs: policy.deadlineMs,
		failures: badShares(errorShare).map((bad) => ({
			errorShare: bad,
			fate: outlookOfFailure(prospect, { canaryErrorShare: bad, horizonMs }),
		})),
	}
}

function sumOf(steps: readonly StepOutlook[]): number | null {
	return steps.reduce<number | null>(
		(total, { durationMs }) => (total === null || durationMs === null ? null : total + durationMs),
		0,
	)
}

/** Twice and five times as bad, or where nothing fails what a service might just bear; and failing altogether. */
function badShares(errorShare: number): number[] {
	const slight = errorShare > 0 ? [2 * errorShare, 5 * errorShare] : [0.001, 0.01]
	return [...slight.filter((share) => share < 1), 1]
}

/**
 * What the daemon counted of the targets that have the route's traffic now, whatever route leads to them. The share of
 * errors is that of the baseline to be.
 */
function trafficOfGroup(group: ShiftGroup, mesh: Mesh, { seconds, clusters }: Traffic): RouteTraffic | null {
	const [{ unit }] = group.shifts
	const countsOf = (targets: readonly Target[]) =>
		targets
			.map((target) => clusters[egressClusterName(target, mesh.resources)])
			.map((counts) => (counts === undefined ? nothing : countsIn(unit, counts)))
			.reduce((left, right) => ({ all: left.all + right.all, failed: left.failed + right.failed }), nothing)
	const served = group.shifts.map(({ before }) => withoutZeros(before)).reduce<readonly Target[]>(unionOfTargets, [])
	const { all } = countsOf(served)
	if (all === 0 || seconds === 0) return null
	const baseline = countsOf(group.falling)
	return { requestsPerSecond: all / seconds, errorShare: baseline.all === 0 ? 0 : baseline.failed / baseline.all }
}

const nothing = { all: 0, failed: 0 }

function countsIn(unit: 'requests' | 'connections', counts: ClusterTraffic): typeof nothing {
	return unit === 'requests'
		? { all: counts.completed, failed: counts.errors }
		: { all: counts.connects, failed: counts.connectFailures }
}
