// What a change would do, worked out without a daemon: the same reading, planning and compiling, and no fleet. The
// contract of the offline verbs. It asks nobody and executes nothing of the repository, so it is safe on a fork.

import { compareDiagnostics, type Diagnostic } from '#base/diagnostic.ts'
import { estimateProofRequests } from '#guard/estimate.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Origins, WavesSpec } from '#mesh/mesh.ts'
import { policyForWaves } from '#mesh/rollout-policy.ts'
import { findTraps } from '#plan/find-traps.ts'
import type { Change, Shift, Split } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { formatSplit, shareOfAll, splitBetween } from '#plan/split.ts'
import { describeFront } from '#rollout/describe-front.ts'
import { demandsOfStep, isHeldBack, ladderOf } from '#rollout/ladder.ts'
import { demandsCounters, errorsGuardOf } from '#rollout/rollout.ts'
import { meshOfId } from './apply-at-once.ts'
import { type ComparedResources, compareResources } from './compare-resources.ts'
import { describeGuards } from './describe-guards.ts'
import { type Aim, wayTo } from './phases.ts'
import { type PlannedClusters, plannedClusters } from './planned-clusters.ts'
import { hasCommit, type OfflineRead, readOfflineCommit, readOfflineFolder } from './read-offline.ts'
import { outlookOfShift, type ShiftOutlook, type TrafficSource } from './shift-outlook.ts'
import { unitOf } from './shift-unit.ts'
import { diagnosticsOfTraps } from './trap-diagnostics.ts'

/** Reads and checks the mesh in a folder. */
export async function validateFolder(path: string): Promise<OfflineRead> {
	return readOfflineFolder(path)
}

export type PlanOutcome =
	| { readonly kind: 'planned'; readonly preview: PlanPreview }
	/** `side` names what is wrong: what is to come, or what it is compared with. */
	| {
			readonly kind: 'refused'
			readonly side: 'new' | 'base'
			readonly name: string
			readonly diagnostics: readonly Diagnostic[]
	  }
	| { readonly kind: 'unreadable'; readonly message: string }

export type PlanPreview = ComparedResources & {
	/** What it was compared with; null when with nothing. */
	readonly base: string | null
	readonly warnings: readonly Diagnostic[]
	/** What both ends would have to change at once: the daemon refuses it until a person accepts. All are errors. */
	readonly traps: readonly Diagnostic[]
	/** In the order in which they may happen. */
	readonly changes: readonly PlannedChange[]
	/** How the same goes out where both ends must agree on a part of it; none where they need not, or no way is known. */
	readonly phases: readonly PlannedPhase[]
}

/** `widen`: servers take the old and the new · `switch`: their callers change · `whole`: servers take the new alone. */
export type PlannedPhase = { readonly phase: Aim['phase']; readonly changes: readonly PlannedChange[] }

export type PlannedChange =
	| {
			readonly kind: 'prepare'
			readonly resource: string
			readonly action: 'add' | 'change' | 'remove'
			readonly reason: string | null
	  }
	| {
			readonly kind: 'replace'
			readonly resource: string
			readonly action: 'add' | 'change' | 'remove'
			/** `confirmed`: not while proxies may hold an older mesh that does not get along with it. */
			readonly when: 'atOnce' | 'confirmed'
			/** How it goes out over the proxies; null: to all of them at once. */
			readonly waves: WavesSpec | null
			readonly reason: string
	  }
	| { readonly kind: 'remove'; readonly resource: string }
	| {
			readonly kind: 'shift'
			readonly resource: string
			readonly before: string
			readonly after: string
			/** What the weights share out, and what the proof is made of. Weights of a TCP route hold for new connections only. */
			readonly unit: 'requests' | 'connections'
			/** Whether its own counters can be told from others'; what each step waits for besides time, in words. */
			readonly clusters: PlannedClusters
			readonly guardedBy: string
			/** Which requests go to the rising targets from the first step on, whatever their share, in words; null: none. */
			readonly front: string | null
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
	 * policy or because the step gives no share.
	 */
	readonly proofRequests: number | null
}

export type PlanRequest = {
	readonly path: string
	readonly base: string | null
	/** Null: nothing is known of the traffic. */
	readonly traffic: TrafficSource | null
}

/**
 * Compares the mesh in a folder with `base`: a folder, else a commit by any name that Git knows; when null, with the
 * commit that the folder's work tree is at, and with nothing where there is none.
 */
export async function previewPlan({ path, base, traffic }: PlanRequest): Promise<PlanOutcome> {
	const [after, before] = await Promise.all([readOfflineFolder(path), readBase(path, base)])
	if (after.kind === 'unreadable') return after
	if (after.outcome.kind === 'refused')
		return { kind: 'refused', side: 'new', name: after.name, diagnostics: after.outcome.diagnostics }
	const { mesh, warnings, origins } = after.outcome
	if (before === null)
		return { kind: 'planned', preview: comparePlans(composeMesh({}), mesh, { base: null, warnings, origins, traffic }) }
	if (before.kind === 'unreadable') return before
	if (before.outcome.kind === 'refused')
		return { kind: 'refused', side: 'base', name: before.name, diagnostics: before.outcome.diagnostics }
	const about = { base: before.name, warnings, origins, traffic }
	return { kind: 'planned', preview: comparePlans(before.outcome.mesh, mesh, about) }
}

async function readBase(path: string, base: string | null): Promise<OfflineRead | null> {
	if (base === null) return (await hasCommit(path)) ? readOfflineCommit(path, 'HEAD') : null
	const folder = await readOfflineFolder(base)
	return folder.kind === 'read' ? folder : readOfflineCommit(path, base)
}

type About = Pick<PlanPreview, 'base' | 'warnings'> & {
	readonly origins: Origins
	readonly traffic: TrafficSource | null
}

/** The pure part: two meshes → what would happen between them. What is compared with nothing is caught in no trap. */
export function comparePlans(before: Mesh, after: Mesh, { base, warnings, origins, traffic }: About): PlanPreview {
	const { changes } = planChanges(before, after)
	const way = wayTo(before, after)
	const found = way === null ? findTraps(before, after) : []
	const traps = diagnosticsOfTraps(found, origins).sort(compareDiagnostics)
	const planned = changes.map((change) => plannedChange(change, { before, after, traffic }))
	const phases = plannedPhases(before, way ?? [], traffic)
	return { base, warnings, traps, changes: planned, phases, ...compareResources(before, after) }
}

function plannedPhases(base: Mesh, way: readonly Aim[], traffic: TrafficSource | null): PlannedPhase[] {
	if (way.length < 2) return []
	return way.map(({ phase, mesh }, index) => {
		const before = way[index - 1]?.mesh ?? base
		const { changes } = planChanges(before, mesh)
		return { phase, changes: changes.map((change) => plannedChange(change, { before, after: mesh, traffic })) }
	})
}

type Between = { readonly before: Mesh; readonly after: Mesh; readonly traffic: TrafficSource | null }

function plannedChange(change: Change, between: Between): PlannedChange {
	switch (change.kind) {
		case 'prepare':
			return change
		case 'replace':
			return { ...change, waves: policyForWaves(between.after, meshOfId(change.resource))?.waves ?? null }
		case 'remove':
			return { kind: 'remove', resource: change.resource }
		case 'shift':
			return plannedShift(change, between)
	}
}

function plannedShift(shift: Shift, { before: now, after: mesh, traffic }: Between): PlannedChange {
	const { before, after, rising, policy } = shift
	const ladder = ladderOf(policy, before, after, rising)
	const from = shareOfAll(before, rising)
	const to = shareOfAll(after, rising)
	const demanded = ladder.map((canarySharePpm, index) => {
		const shares = splitBetween(before, after, canarySharePpm - from, to - from)
		const { minDurationMs, minRequests, gate } = demandsOfStep({ policy, stepsPpm: ladder, step: index })
		return {
			canarySharePpm,
			shares,
			mirrorPpm: canarySharePpm === 0 ? policy.mirrorPpm : 0,
			kind: kindOfStep({ policy, stepsPpm: ladder, step: index }),
			minDurationMs,
			minRequests,
			gate,
		}
	})
	const outlook = traffic === null ? null : outlookOfShift(shift, demanded, { mesh: now, source: traffic })
	const errorShare = outlook?.errorShare ?? supposedErrorShare
	const steps = demanded.map(
		({ shares, ...step }): PlannedStep => ({
			...step,
			shares: formatSplit(shares),
			proofRequests: proofRequestsAt(shift, { shares, errorShare }),
		}),
	)
	return {
		kind: 'shift',
		resource: shift.route,
		before: formatSplit(before, after),
		after: formatSplit(after, before),
		unit: unitOf(shift.route, mesh),
		clusters: plannedClusters(shift, now, mesh),
		guardedBy: describeGuards(policy),
		front: policy.front.length === 0 ? null : describeFront(policy.front),
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

type Proof = { readonly shares: Split; readonly errorShare: number }

function proofRequestsAt({ rising, falling, policy }: Shift, { shares, errorShare }: Proof): number | null {
	if (!demandsCounters(policy) || shareOfAll(shares, rising) === 0) return null
	const baseline = shareOfAll(shares, falling)
	return estimateProofRequests({
		baselineErrorShare: errorShare,
		canaryPerBaseline: baseline === 0 ? Infinity : shareOfAll(shares, rising) / baseline,
		absoluteLimitPpm: errorsGuardOf(policy).absoluteLimitPpm,
	})
}
