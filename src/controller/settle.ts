import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import type { Change, Plan, Remove, Shift, Split, Target } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { isSameSplit, isSameTarget, splitOfRoute } from '#plan/split.ts'
import { type Hold, isRunning, type Rollout } from '#rollout/rollout.ts'
import { applyAtOnce, isTargetOf, routeWithTargets, withTargetsOf } from './apply-at-once.ts'

// How the applied mesh comes nearer to the desired one: what may be applied in this turn, and what each shift means
// for the rollouts. A pure function; the controller asks it whenever either mesh or a rollout has changed.

export type Settlement = {
	/** The applied mesh after this turn; the same object when nothing may be applied. */
	readonly applied: Mesh
	readonly done: readonly Change[]
	/** Shifts to start a rollout for. */
	readonly start: readonly Shift[]
	/** Shifts that wait, and for what: the id of another rollout, a route whose rollout comes first, a target. */
	readonly queued: readonly { readonly shift: Shift; readonly behind: string }[]
	/** Shifts that nobody may start now, and why. */
	readonly barred: readonly { readonly route: ResourceId; readonly bars: readonly Hold[] }[]
	/** Removals that wait, and for what. */
	readonly waiting: readonly { readonly resource: ResourceId; readonly reason: string }[]
	/** Changes of what both ends must agree on that wait for proxies that may hold older meshes, and for which. */
	readonly unconfirmed: readonly { readonly resource: ResourceId; readonly reason: string }[]
}

/** Time, or a proxy that answers, can move it on. */
export function isWaiting(settlement: Settlement | null): boolean {
	if (settlement === null) return false
	return settlement.waiting.length + settlement.unconfirmed.length + settlement.barred.length > 0
}

export type SettleOptions = {
	readonly applied: Mesh
	readonly desired: Mesh
	readonly rollouts: readonly Rollout[]
	readonly isQuarantined: (key: string) => boolean
	/** What people forbid to start or to remove. */
	readonly barsOf: (resource: ResourceId) => readonly Hold[]
	/** Null when every expected proxy holds what is published; else what is missing. */
	readonly fleetLags: string | null
	/** Meshes applied before that an expected proxy may still hold; none when all have confirmed what is applied. */
	readonly mayStillHold: readonly Mesh[]
	/** The applied mesh has changed in this turn already: a rollout has ended. */
	readonly letsGo: boolean
}

export function settle(options: SettleOptions): Settlement {
	const { applied, desired } = options
	const running = options.rollouts.filter(isRunning)
	const plan = planOnce(applied, desired)
	const shifts = plan.changes.filter((change) => change.kind === 'shift')
	const resources: Record<ResourceId, Resource> = { ...applied.resources }
	const { done, unconfirmed } = applyAtOnce({ ...options, plan, resources })
	const { isQuarantined, barsOf } = options
	const { start, queued, barred } = startable(shifts, { resources, desired, running, isQuarantined, barsOf })
	const removals = plan.changes.filter((change) => change.kind === 'remove')
	// What is removed must have been let go of before: never in the turn that lets go.
	const settled = done.length === 0 && start.length === 0 && !options.letsGo
	const kept = settled
		? whyKeep(removals, { resources, running, fleetLags: options.fleetLags, barsOf })
		: new Map(removals.map(({ resource }) => [resource, 'after what comes before it']))
	for (const change of removals) {
		if (kept.has(change.resource)) continue
		delete resources[change.resource]
		done.push(change)
	}
	const waiting = [...kept].map(([resource, reason]) => ({ resource, reason }))
	return {
		applied: done.length === 0 ? applied : composeMesh(resources),
		done,
		start,
		queued,
		barred,
		waiting,
		unconfirmed: unconfirmed.map((resource) => ({ resource, reason: untilConfirmed(options.fleetLags) })),
	}
}

function untilConfirmed(fleetLags: string | null): string {
	return `until every expected proxy holds what is in force${fleetLags === null ? '' : `: ${fleetLags}`}`
}

let lastPlan: { applied: string; desired: string; plan: Plan } | null = null

/** A plan costs the size of the mesh; most turns ask about the same two meshes as the turn before. */
function planOnce(applied: Mesh, desired: Mesh): Plan {
	if (lastPlan?.applied === applied.hash && lastPlan.desired === desired.hash) return lastPlan.plan
	const plan = planChanges(applied, desired)
	lastPlan = { applied: applied.hash, desired: desired.hash, plan }
	return plan
}

/** The route as it stands when a rollout has succeeded: as Git writes it, when Git still asks for these shares. */
export function routeAfterRollout(applied: Route, desired: Resource | undefined, target: Split): Route {
	if (desired?.kind === 'Route' && isSameSplit(splitOfRoute(desired), target)) return withTargetsOf(applied, desired)
	return routeWithTargets(
		applied,
		target.map(({ virtualNode, port, sharePpm }) => ({ virtualNode, port, weight: sharePpm })),
	)
}

type Situation = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	readonly desired: Mesh
	readonly running: readonly Rollout[]
	readonly isQuarantined: (key: string) => boolean
	readonly barsOf: SettleOptions['barsOf']
}

function startable(shifts: readonly Shift[], { resources, desired, running, isQuarantined, barsOf }: Situation) {
	const start: Shift[] = []
	const queued: { shift: Shift; behind: string }[] = []
	const barred: { route: ResourceId; bars: readonly Hold[] }[] = []
	for (const shift of shifts) {
		if (isQuarantined(shift.quarantineKey) || running.some(({ route }) => route === shift.route)) continue
		const bars = barsOf(shift.route)
		if (bars.length > 0) {
			barred.push({ route: shift.route, bars })
			continue
		}
		const behind = rivalOf(shift, running, start) ?? absentTargetOf(shift, resources, desired)
		if (behind !== null) queued.push({ shift, behind })
		else start.push(shift)
	}
	return { start, queued, barred }
}

function rivalOf(shift: Shift, running: readonly Rollout[], start: readonly Shift[]): string | null {
	const rival = running.find((rollout) => isRival(shift, { canaries: rollout.canaries, baseline: rollout.baseline }))
	const earlier = start.find((other) => isRival(shift, { canaries: other.rising, baseline: other.falling }))
	return rival?.id ?? earlier?.route ?? null
}

/** A rising target that is not applied as Git has it: a rollout to it would judge something else, or nothing at all. */
function absentTargetOf({ rising }: Shift, resources: Situation['resources'], desired: Mesh): string | null {
	const absent = rising.find(({ virtualNode: id }) => resources[id]?.hash !== desired.resources[id]?.hash)
	return absent === undefined ? null : `${absent.virtualNode}, which cannot change yet`
}

/** No target is canary of one running rollout and baseline of another (rules, motion 3). */
function isRival(shift: Shift, other: Pick<Rollout, 'canaries' | 'baseline'>): boolean {
	const meets = (left: Shift['rising'], right: Shift['rising']) =>
		left.some((target) => right.some((member) => isSameTarget(target, member)))
	return meets(shift.rising, other.baseline) || meets(shift.falling, other.canaries)
}

/** What Git now asks of a running rollout, when that is something else. */
export type Ask =
	| { readonly kind: 'lastGood' }
	/** `otherCanary`: the same targets, of which a rising one is specified otherwise. */
	| { readonly kind: 'otherShares' | 'otherCanary'; readonly shift: Shift }

export function changedRollouts(
	options: Pick<SettleOptions, 'applied' | 'desired' | 'rollouts'>,
): { rollout: Rollout; ask: Ask }[] {
	const { applied, desired } = options
	const running = options.rollouts.filter((rollout) => isRunning(rollout) && rollout.phase.kind !== 'rollingBack')
	if (running.length === 0) return []
	const shifts = planOnce(applied, desired).changes.filter((change) => change.kind === 'shift')
	return running.flatMap((rollout): { rollout: Rollout; ask: Ask }[] => {
		const shift = shifts.find(({ route }) => route === rollout.route)
		if (shift === undefined) return [{ rollout, ask: { kind: 'lastGood' } }]
		if (shift.quarantineKey === rollout.quarantineKey && isSameSplit(shift.after, rollout.target)) return []
		// Since it began, its canaries are applied as they were: what differs is what Git has changed.
		const changes = ({ virtualNode: id }: Target) => applied.resources[id]?.hash !== desired.resources[id]?.hash
		return [{ rollout, ask: { kind: rollout.canaries.some(changes) ? 'otherCanary' : 'otherShares', shift } }]
	})
}

type Keep = {
	readonly resources: Record<ResourceId, Resource>
	readonly running: readonly Rollout[]
	readonly fleetLags: string | null
	readonly barsOf: SettleOptions['barsOf']
}

/** Of what nothing should need any more, what stays for now, and why. */
function whyKeep(
	removals: readonly Remove[],
	{ resources, running, fleetLags, barsOf }: Keep,
): Map<ResourceId, string> {
	const kept = new Map<ResourceId, string>()
	for (const { resource: id } of removals) {
		const user = running.find((rollout) => isTargetOf(rollout, id))
		const [bar] = barsOf(id)
		const reason = bar?.text ?? (user === undefined ? fleetLags : `rollout ${user.id} has not ended`)
		if (reason !== null) kept.set(id, reason)
	}
	// What stays may refer to what would go.
	for (let before = -1; before !== kept.size && kept.size < removals.length; ) {
		before = kept.size
		const rest = { ...resources }
		for (const { resource: id } of removals) if (!kept.has(id)) delete rest[id]
		for (const { resource, missing } of findBrokenLinks(rest))
			if (missing !== null && !kept.has(missing)) kept.set(missing, `${resource} still refers to it`)
	}
	return kept
}
