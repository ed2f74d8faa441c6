import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import type { Change, Plan, Shift, Split } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { isSameSplit, isSameTarget, splitOfRoute } from '#plan/split.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'

// How the applied mesh comes nearer to the desired one: what may be applied in this turn, and what each shift means
// for the rollouts. A pure function; the controller asks it whenever either mesh or a rollout has changed.

export type Settlement = {
	/** The applied mesh after this turn; the same object when nothing may be applied. */
	readonly applied: Mesh
	readonly done: readonly Change[]
	/** Shifts to start a rollout for. */
	readonly start: readonly Shift[]
	/** Shifts that wait for another rollout, with its id. */
	readonly queued: readonly { readonly shift: Shift; readonly behind: string }[]
	/** Running rollouts whose target Git has changed. */
	readonly changed: readonly { readonly rollout: Rollout; readonly shift: Shift | null }[]
	/** Removals that wait, and for what. */
	readonly waiting: readonly { readonly resource: ResourceId; readonly reason: string }[]
}

export type SettleOptions = {
	readonly applied: Mesh
	readonly desired: Mesh
	readonly rollouts: readonly Rollout[]
	readonly isQuarantined: (key: string) => boolean
	/** Null when every expected proxy holds what is published; else what is missing. */
	readonly fleetLags: string | null
}

export function settle(options: SettleOptions): Settlement {
	const { applied, desired, rollouts } = options
	const running = rollouts.filter(isRunning)
	const plan = planOnce(applied, desired)
	const shifts = plan.changes.filter((change) => change.kind === 'shift')
	const resources: Record<ResourceId, Resource> = { ...applied.resources }
	const done = applyAtOnce({ plan, applied, desired, running, resources })
	const { start, queued } = startable(shifts, running, options.isQuarantined)
	const changed = running.flatMap((rollout) => changeOfRollout(rollout, shifts))
	const waiting: { resource: ResourceId; reason: string }[] = []
	// What is removed must have been let go of before: never in the turn that lets go.
	const settled = done.length === 0 && start.length === 0 && changed.length === 0
	for (const change of plan.changes) {
		if (change.kind !== 'remove') continue
		const reason = settled
			? whyKeep(change.resource, { resources, running, fleetLags: options.fleetLags })
			: 'after what comes before it'
		if (reason !== null) waiting.push({ resource: change.resource, reason })
		else {
			delete resources[change.resource]
			done.push(change)
		}
	}
	return { applied: done.length === 0 ? applied : composeMesh(resources), done, start, queued, changed, waiting }
}

let lastPlan: { applied: string; desired: string; plan: Plan } | null = null

/** A plan costs the size of the mesh; most turns ask about the same two meshes as the turn before. */
function planOnce(applied: Mesh, desired: Mesh): Plan {
	if (lastPlan?.applied === applied.hash && lastPlan.desired === desired.hash) return lastPlan.plan
	const plan = planChanges(applied, desired)
	lastPlan = { applied: applied.hash, desired: desired.hash, plan }
	return plan
}

type AtOnce = {
	readonly plan: Plan
	readonly applied: Mesh
	readonly desired: Mesh
	readonly running: readonly Rollout[]
	readonly resources: Record<ResourceId, Resource>
}

/** Carries out `prepare` and `replace` on `resources`; a route under rollout is left alone until that has ended. */
function applyAtOnce({ plan, applied, desired, running, resources }: AtOnce): Change[] {
	const moving = new Set(running.map(({ route }) => route))
	const shifting = new Set(plan.changes.flatMap((change) => (change.kind === 'shift' ? [change.route] : [])))
	const done: Change[] = []
	for (const change of plan.changes) {
		if (change.kind !== 'prepare' && change.kind !== 'replace') continue
		const { resource: id } = change
		if (moving.has(id)) continue
		const next = desired.resources[id]
		const before = applied.resources[id]
		if (next === undefined) delete resources[id]
		else if (shifting.has(id) && next.kind === 'Route' && before?.kind === 'Route')
			resources[id] = withTargetsOf(next, before)
		else resources[id] = next
		if (resources[id]?.hash !== before?.hash) done.push(change)
	}
	if (findBrokenLinks(resources).length === 0) return done
	// What is held back needs what this would take away: nothing of it is applied until the rollouts have ended.
	for (const id of Object.keys(resources) as ResourceId[]) if (applied.resources[id] === undefined) delete resources[id]
	Object.assign(resources, applied.resources)
	return []
}

/** The new route with the old route's targets: `replace` comes before `shift`. */
function withTargetsOf(route: Route, old: Route): Route {
	return routeWithTargets(route, old.spec.targets)
}

function routeWithTargets(route: Route, targets: Route['spec']['targets']): Route {
	const spec = { ...route.spec, targets }
	const hash = hashValue({ kind: route.kind, id: route.id, spec })
	return { ...route, spec, hash }
}

/** The route as it stands when a rollout has succeeded: as Git writes it, when Git still asks for these shares. */
export function routeAfterRollout(applied: Route, desired: Resource | undefined, target: Split): Route {
	if (desired?.kind === 'Route' && isSameSplit(splitOfRoute(desired), target)) return withTargetsOf(applied, desired)
	return routeWithTargets(
		applied,
		target.map(({ virtualNode, port, sharePpm }) => ({ virtualNode, port, weight: sharePpm })),
	)
}

function startable(shifts: readonly Shift[], running: readonly Rollout[], isQuarantined: (key: string) => boolean) {
	const start: Shift[] = []
	const queued: { shift: Shift; behind: string }[] = []
	for (const shift of shifts) {
		if (isQuarantined(shift.quarantineKey) || running.some(({ route }) => route === shift.route)) continue
		const rival = running.find((rollout) => isRival(shift, { canaries: rollout.canaries, baseline: rollout.baseline }))
		const earlier = start.find((other) => isRival(shift, { canaries: other.rising, baseline: other.falling }))
		if (rival !== undefined) queued.push({ shift, behind: rival.id })
		else if (earlier !== undefined) queued.push({ shift, behind: earlier.route })
		else start.push(shift)
	}
	return { start, queued }
}

/** No target is canary of one running rollout and baseline of another (rules, motion 3). */
function isRival(shift: Shift, other: Pick<Rollout, 'canaries' | 'baseline'>): boolean {
	const meets = (left: Shift['rising'], right: Shift['rising']) =>
		left.some((target) => right.some((member) => isSameTarget(target, member)))
	return meets(shift.rising, other.baseline) || meets(shift.falling, other.canaries)
}

/** What Git now wants of a running rollout, when that is something else. `shift: null`: the old weights. */
function changeOfRollout(rollout: Rollout, shifts: readonly Shift[]): { rollout: Rollout; shift: Shift | null }[] {
	if (rollout.phase.kind === 'rollingBack') return []
	const shift = shifts.find(({ route }) => route === rollout.route) ?? null
	if (shift !== null && shift.quarantineKey === rollout.quarantineKey && isSameSplit(shift.after, rollout.target))
		return []
	return [{ rollout, shift }]
}

type Keep = {
	readonly resources: Record<ResourceId, Resource>
	readonly running: readonly Rollout[]
	readonly fleetLags: string | null
}

/** Why something that nothing should need any more stays for now, or null when it may go. */
function whyKeep(id: ResourceId, { resources, running, fleetLags }: Keep): string | null {
	const user = running.find((rollout) =>
		[...rollout.good, ...rollout.target].some((target) => target.virtualNode === id),
	)
	if (user !== undefined) return `rollout ${user.id} has not ended`
	const { [id]: _, ...rest } = resources
	const broken = findBrokenLinks(rest as Record<ResourceId, Resource>)[0]
	if (broken !== undefined) return `${broken.resource} still refers to it`
	return fleetLags
}
