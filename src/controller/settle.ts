import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import { joinShifts } from '#plan/join-shifts.ts'
import type { Change, Plan, Remove, Shift, ShiftGroup, Split } from '#plan/plan.ts'
import { isSameSplit, splitOfRoute } from '#plan/split.ts'
import { type Hold, isRunning, isUnsettled, type Rollout } from '#rollout/rollout.ts'
import { runningWave } from '#rollout/wave.ts'
import {
	type AtOnce,
	applyAtOnce,
	applyLater,
	type Barred,
	isTargetOf,
	routeWithTargets,
	withTargetsOf,
} from './apply-at-once.ts'
import type { Aim } from './phases.ts'
import { planOnce } from './plan-once.ts'
import { type Startable, startable } from './shifts-to-start.ts'
import type { Quarantine } from './state.ts'
import { type FailedWaves, failedAmong, type WavesToStart, wavesToStart } from './waves-to-start.ts'

// How the applied mesh comes nearer to the desired one: what may be applied in this turn, and what each shift means
// for the rollouts. A pure function; the controller asks it whenever either mesh or a rollout has changed.

/** What one turn does, and what it was about. */
export type Settlement = Settled & { readonly aim: Aim }

export type Settled = {
	/** The applied mesh after this turn; the same object when nothing may be applied. */
	readonly applied: Mesh
	readonly done: readonly Change[]
	/** Shifts to start a rollout for. */
	readonly start: readonly ShiftGroup[]
	/** Changes to start waves for. */
	readonly waves: WavesToStart | null
	/** Changes that failed by waves and are not tried again before they are others. */
	readonly failedWaves: readonly FailedWaves[]
	/** Shifts that wait, and for what: the id of another rollout, a route whose rollout comes first, a target. */
	readonly queued: readonly { readonly group: ShiftGroup; readonly behind: string }[]
	/** Shifts and other changes that nobody may start now, and why. */
	readonly barred: readonly Barred[]
	/** Removals that wait, and for what. */
	readonly waiting: readonly { readonly resource: ResourceId; readonly reason: string }[]
	/** Changes of what both ends must agree on that wait for proxies that may hold older meshes, and for which. */
	readonly unconfirmed: readonly { readonly resource: ResourceId; readonly reason: string }[]
}

/** Time, or a proxy that answers, can move it on. */
export function isWaiting(settlement: Settlement | null): boolean {
	if (settlement === null) return false
	const { aim, waiting, unconfirmed, barred } = settlement
	return aim.phase !== 'whole' || waiting.length + unconfirmed.length + barred.length > 0
}

export type SettleOptions = {
	readonly applied: Mesh
	/** What is aimed at: the next phase, or what Git asks for. */
	readonly desired: Mesh
	/** What Git asks for, when that is something else. */
	readonly whole?: Mesh
	readonly rollouts: readonly Rollout[]
	readonly isQuarantined: (key: string) => boolean
	readonly quarantine: readonly Quarantine[]
	/** What people forbid to start or to remove. */
	readonly barsOf: (resource: ResourceId) => readonly Hold[]
	/** Null when every expected proxy holds what is published; else what is missing. */
	readonly fleetLags: string | null
	/** Meshes applied before that an expected proxy may still hold; none when all have confirmed what is applied. */
	readonly mayStillHold: readonly Mesh[]
	/** Git is back at what was accepted before: what was in force then; else null. */
	readonly takesBackTo: Mesh | null
	/** The applied mesh has changed in this turn already: a rollout has ended. */
	readonly letsGo: boolean
}

export function settle(options: SettleOptions): Settled {
	const { applied, desired } = options
	const running = options.rollouts.filter(isRunning)
	const plan = planOnce(applied, desired)
	const shifts = plan.changes.filter((change) => change.kind === 'shift')
	const wave = runningWave(running)
	if (wave !== null) return behindWave(wave, { plan, shifts, applied })
	// What is nothing but shares is read only, and needs no copy: a rollout asks with every turn, and meshes are large.
	const isFixed = plan.changes.every(({ kind }) => kind === 'shift')
	const resources: Record<ResourceId, Resource> = isFixed ? applied.resources : { ...applied.resources }
	const { done, unconfirmed, byWaves, barred: frozen } = applyAtOnce({ ...options, plan, resources })
	const unsettled = options.rollouts.filter(isUnsettled)
	const { isQuarantined, barsOf } = options
	const { due, failed, later } = wavesOf(byWaves, { ...options, plan, resources })
	const waves = due !== null && unsettled.length === 0 && barsOfWaves(due, barsOf).length === 0 ? due : null
	const whole = options.whole ?? desired
	const shiftsNow = startable(shifts, { resources, desired, whole, running, unsettled, isQuarantined, barsOf })
	// A commit with both has its waves first (rules §4.1).
	const { start, queued, barred } = due === null ? shiftsNow : behindWaves(shiftsNow)
	const removals = plan.changes.filter((change) => change.kind === 'remove')
	// What is removed must have been let go of before: never in the turn that lets go.
	const settled = done.length === 0 && start.length === 0 && waves === null && !options.letsGo
	const kept = settled
		? whyKeep(removals, { resources, unsettled, fleetLags: options.fleetLags, barsOf })
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
		waves,
		failedWaves: failed,
		queued,
		barred: [...barred, ...frozen],
		waiting,
		unconfirmed: [...new Set([...unconfirmed, ...later])].map((resource) => ({
			resource,
			reason: untilConfirmed(options.fleetLags),
		})),
	}
}

/** What is frozen of all that would go out. */
function barsOfWaves({ mesh, changes }: WavesToStart, barsOf: SettleOptions['barsOf']): readonly Hold[] {
	return [mesh, ...changes].flatMap(barsOf)
}

function behindWaves({ start, queued, barred }: Startable): Startable {
	const behind = 'the waves of other changes, which come first'
	return {
		start: [],
		queued: [...start, ...queued.map(({ group }) => group)].map((group) => ({ group, behind })),
		barred,
	}
}

type Behind = { readonly plan: Plan; readonly shifts: readonly Shift[]; readonly applied: Mesh }

/** While waves go out nothing else begins: what they are compared with stays as it is. */
function behindWave(wave: Rollout, { plan, shifts, applied }: Behind): Settled {
	const reason = `until rollout ${wave.id} has ended`
	return {
		applied,
		done: [],
		start: [],
		waves: null,
		failedWaves: [],
		queued: joinShifts(shifts).map((group) => ({ group, behind: wave.id })),
		waiting: plan.changes.flatMap((change) =>
			change.kind === 'remove' ? [{ resource: change.resource, reason }] : [],
		),
		unconfirmed: [],
		barred: [],
	}
}

function untilConfirmed(fleetLags: string | null): string {
	return `until every expected proxy holds what is in force${fleetLags === null ? '' : `: ${fleetLags}`}`
}

/** What goes out by waves now, if anything does; what failed before is not tried again by itself. */
function wavesOf(
	byWaves: readonly Change[],
	options: SettleOptions & AtOnce,
): {
	readonly due: WavesToStart | null
	readonly failed: readonly FailedWaves[]
	readonly later: readonly ResourceId[]
} {
	if (byWaves.length === 0) return { due: null, failed: [], later: [] }
	const all = wavesWithout(new Set(), options)
	const failed = all.due === null ? [] : failedAmong(all.due, options.quarantine)
	const rest = failed.length === 0 ? all : wavesWithout(new Set(failed.flatMap(({ changes }) => changes)), options)
	return { ...rest, failed }
}

function wavesWithout(without: ReadonlySet<ResourceId>, options: SettleOptions & AtOnce) {
	const candidate = { ...options.resources }
	const { unconfirmed } = applyLater({ ...options, resources: candidate }, { without })
	return { due: wavesToStart(candidate, options), later: unconfirmed }
}

/** The route as it stands when a rollout has succeeded: as Git writes it, when Git still asks for these shares. */
export function routeAfterRollout(applied: Route, desired: Resource | undefined, target: Split): Route {
	if (desired?.kind === 'Route' && isSameSplit(splitOfRoute(desired), target)) return withTargetsOf(applied, desired)
	return routeWithTargets(
		applied,
		target.map(({ virtualNode, port, sharePpm }) => ({ virtualNode, port, weight: sharePpm })),
	)
}

type Keep = {
	readonly resources: Record<ResourceId, Resource>
	readonly unsettled: readonly Rollout[]
	readonly fleetLags: string | null
	readonly barsOf: SettleOptions['barsOf']
}

function whyNeeded(rollout: Rollout): string {
	return isRunning(rollout)
		? `rollout ${rollout.id} has not ended`
		: `what rollout ${rollout.id} moved still has clusters of its own`
}

/** Of what nothing should need any more, what stays for now, and why. */
function whyKeep(
	removals: readonly Remove[],
	{ resources, unsettled, fleetLags, barsOf }: Keep,
): Map<ResourceId, string> {
	const kept = new Map<ResourceId, string>()
	for (const { resource: id } of removals) {
		const user = unsettled.find((rollout) => isTargetOf(rollout, id))
		const [bar] = barsOf(id)
		const reason = bar?.text ?? (user === undefined ? fleetLags : whyNeeded(user))
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
