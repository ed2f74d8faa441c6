import { hashValue } from '#base/hash.ts'
import { type BrokenLink, findLinksBrokenBy } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId, Route, VirtualNode } from '#mesh/mesh.ts'
import { policyForWaves } from '#mesh/rollout-policy.ts'
import { type Caller, callsOfCaller, listenerOf } from '#plan/live-paths.ts'
import type { Change, Plan, Prepare, Replace, Target } from '#plan/plan.ts'
import { routerOf } from '#plan/split.ts'
import { type Hold, isRunning, laneOf, type Rollout, routesOf } from '#rollout/rollout.ts'
import { findUnconfirmed } from './find-unconfirmed.ts'

// What of a plan takes effect at once: everything but shares and removals. Left out is what a running rollout stands on,
// what does not get along with what lagging proxies may still hold, and what would not link with what stays in force; the
// rest of the commit goes on without it (rules, motion 10).

export type AtOnce = {
	readonly plan: Plan
	readonly applied: Mesh
	readonly desired: Mesh
	readonly rollouts: readonly Rollout[]
	readonly mayStillHold: readonly Mesh[]
	/** Git is back at what was accepted before: what was in force then; else null. */
	readonly takesBackTo: Mesh | null
	/** What Git asks for, where `desired` is a phase on the way there. */
	readonly whole?: Mesh
	/** What people forbid to go forward. */
	readonly barsOf: (resource: ResourceId) => readonly Hold[]
	/** The applied resources; changed in place. */
	readonly resources: Record<ResourceId, Resource>
}

/** What nobody may carry out now, and why. */
export type Barred = { readonly resource: ResourceId; readonly bars: readonly Hold[] }

export type DoneAtOnce = {
	readonly done: Change[]
	/** Changes of what both ends must agree on that wait until proxies have let go of what they may still hold. */
	readonly unconfirmed: readonly ResourceId[]
	/** Changes that go out by waves, where the policy of their mesh says so: `resources` has nothing of them yet. */
	readonly byWaves: readonly Replace[]
	/** Changes that nobody may carry out now, and why. */
	readonly barred: readonly Barred[]
}

/** Carries out `prepare` and `replace` on `resources`, as far as that is possible now, and returns what was done. */
export function applyAtOnce(options: AtOnce): DoneAtOnce {
	const hasWaves = memoized((mesh: string) => policyForWaves(options.desired, mesh) !== null)
	const replaces = options.plan.changes.filter((change) => change.kind === 'replace')
	const byWaves = replaces.filter(({ resource }) => !isWayBack(resource, options) && hasWaves(meshOfId(resource)))
	const barred = replaces
		.map((change) => ({ resource: change.resource, bars: barsOfReplace(change, options) }))
		.filter(({ bars }) => bars.length > 0)
	const later = new Set([...byWaves, ...barred].map(({ resource }) => resource))
	const isDue = ({ kind, resource }: Prepare | Replace) => kind === 'prepare' || !later.has(resource)
	return { ...carryOutAll(options, isDue), byWaves, barred }
}

/** What is not confirmed everywhere, since proxies refuse it or lag, may be mended while it is frozen (rules, motion 12). */
function barsOfReplace({ resource }: Replace, options: AtOnce): readonly Hold[] {
	return isWayBack(resource, options) || options.mayStillHold.length > 0 ? [] : options.barsOf(resource)
}

/** To what was in force before Git asked for something else. What had gone back by then, or not gone out, is not that. */
function isWayBack(id: ResourceId, { takesBackTo, desired, whole = desired }: AtOnce): boolean {
	if (takesBackTo === null) return false
	return hashApartFromShares(whole.resources[id]) === hashApartFromShares(takesBackTo.resources[id])
}

/** Shares move by themselves: with others, a route is still the same. */
export function hashApartFromShares(resource: Resource | undefined): string | null {
	return (resource?.kind === 'Route' ? routeWithTargets(resource, []) : resource)?.hash ?? null
}

/** The same with what goes out by waves: what `resources` becomes when they have gone out. */
export function applyLater(
	options: AtOnce,
	{ without }: { readonly without: ReadonlySet<ResourceId> },
): Pick<DoneAtOnce, 'unconfirmed'> {
	return carryOutAll(options, (change) => {
		if (change.kind === 'prepare') return true
		return !without.has(change.resource) && barsOfReplace(change, options).length === 0
	})
}

/** `mesh/apps/virtualNode/a` → `apps`. */
export function meshOfId(id: ResourceId): string {
	return id.split('/')[1] ?? ''
}

function memoized<Value>(make: (name: string) => Value): (name: string) => Value {
	const made = new Map<string, Value>()
	return (name) => {
		if (!made.has(name)) made.set(name, make(name))
		return made.get(name) as Value
	}
}

function carryOutAll(
	options: AtOnce,
	isDue: (change: Prepare | Replace) => boolean,
): Pick<DoneAtOnce, 'done' | 'unconfirmed'> {
	const { plan, applied, desired, resources } = options
	const shifting = new Set(plan.changes.flatMap((change) => (change.kind === 'shift' ? [change.route] : [])))
	const possible = plan.changes
		.filter((change) => change.kind === 'prepare' || change.kind === 'replace')
		.filter(isDue)
		.filter(({ resource: id }) => !isUnderRollout(applied.resources[id], desired.resources[id], options))
	const isTwoSided = (change: Prepare | Replace) => change.kind === 'replace' && change.when === 'confirmed'
	const done: (Prepare | Replace)[] = []
	for (const change of possible) if (!isTwoSided(change)) carryOut(change)
	const twoSided = possible.filter(isTwoSided)
	const waits = findUnconfirmed(
		twoSided.map(({ resource }) => resource),
		options,
	)
	for (const change of twoSided) if (!waits.has(change.resource)) carryOut(change)
	return { done: keepLinked(done, applied, resources), unconfirmed: [...waits] }

	function carryOut(change: Prepare | Replace): void {
		const { resource: id } = change
		const next = desired.resources[id]
		const before = applied.resources[id]
		if (next === undefined) delete resources[id]
		else if (shifting.has(id) && next.kind === 'Route' && before?.kind === 'Route')
			resources[id] = withTargetsOf(next, before)
		else resources[id] = next
		if (resources[id]?.hash !== before?.hash) done.push(change)
	}
}

/**
 * A route is left alone until its rollout has ended. A cluster is not changed while it is judged: its evidence would be
 * of two things (rules, serving 9). What has gone back is judged no longer, and what mends the last good must go in.
 */
function isUnderRollout(before: Resource | undefined, next: Resource | undefined, { applied, rollouts }: AtOnce) {
	const running = rollouts.filter(isRunning)
	const judged = running.filter(({ phase }) => phase.kind !== 'rollingBack')
	switch (before?.kind) {
		case 'Route':
			return running.some((rollout) => laneOf(rollout, before.id) !== null)
		case 'VirtualNode': {
			if (next?.kind !== 'VirtualNode') return false
			const parts = ({ spec }: typeof before) => hashValue([spec.listeners, spec.serviceDiscovery])
			const isHeld = (rollout: Rollout) =>
				rollout.phase.kind === 'rollingBack' ? isCanaryAlone(rollout, before.id) : isTargetOf(rollout, before.id)
			if (running.some(isHeld) && parts(before) !== parts(next)) return true
			if (running.some((rollout) => leadsToGoing(rollout, before, next))) return true
			return changesWayTo(judged, { before, next, applied })
		}
		case 'VirtualGateway':
			return next?.kind === 'VirtualGateway' && changesWayTo(judged, { before, next, applied })
		case 'Mesh': {
			if (next?.kind !== 'Mesh' || before.spec.ipPreference === next.spec.ipPreference) return false
			return judged.some((rollout) => routesOf(rollout).some((route) => route.startsWith(`${before.id}/`)))
		}
		default:
			return false
	}
}

/** It still gets requests of proxies that have not confirmed their way back, and is no part of the last good. */
function isCanaryAlone({ lanes, canaries }: Rollout, node: ResourceId): boolean {
	const isNode = ({ virtualNode }: Target) => virtualNode === node
	const isGood = lanes.some(({ good }) => good.some((target) => target.sharePpm > 0 && isNode(target)))
	return canaries.some(isNode) && !isGood
}

/** A listener goes to which a rollout leads, or led until every proxy has confirmed its way back. */
function leadsToGoing(rollout: Rollout, before: VirtualNode, next: VirtualNode): boolean {
	return targetsOf(rollout).some(
		({ virtualNode, port }) => virtualNode === before.id && listenerOf(next, port) === undefined,
	)
}

type CallerChange = { readonly before: Caller; readonly next: Caller; readonly applied: Mesh }

/** A caller's client policy is part of its clusters of whatever it calls. */
function changesWayTo(judged: readonly Rollout[], { before, next, applied }: CallerChange): boolean {
	const routers = new Set(judged.flatMap(routesOf).map(routerOf))
	if (routers.size === 0) return false
	const later = new Map(callsOfCaller(next, applied).map((call) => [call.service.id, call]))
	return callsOfCaller(before, applied).some(({ service, clientTls }) => {
		if (!routers.has(service.spec.provider?.id ?? '')) return false
		const call = later.get(service.id)
		return call !== undefined && hashValue(call.clientTls) !== hashValue(clientTls)
	})
}

export function isTargetOf(rollout: Rollout, node: ResourceId): boolean {
	return targetsOf(rollout).some(({ virtualNode }) => virtualNode === node)
}

/** All that any of its routes leads to, before or after. */
function targetsOf({ lanes }: Rollout): readonly Target[] {
	return lanes.flatMap(({ good, target }) => [...good, ...target])
}

/** Takes back what does not link with what stays, and what leans on that in turn; returns what is left. */
function keepLinked(done: readonly (Prepare | Replace)[], applied: Mesh, resources: AtOnce['resources']): Change[] {
	let left = [...done]
	while (left.length > 0) {
		const changed = left.map(({ resource }) => resource)
		const broken = findLinksBrokenBy(changed, applied.resources, resources)
		if (broken.length === 0) break
		const blamed = new Set(broken.map((link) => blamedFor(link, left, resources)))
		const taken = left.filter(({ resource }) => blamed.has(resource))
		const back = taken.length > 0 ? taken : left
		for (const { resource: id } of back) {
			const before = applied.resources[id]
			if (before === undefined) delete resources[id]
			else resources[id] = before
		}
		left = left.filter((change) => !back.includes(change))
	}
	return left
}

/** What is referred to stays as it was, if it was changed; else the change of what refers to it is taken back. */
function blamedFor(link: BrokenLink, done: readonly (Prepare | Replace)[], resources: AtOnce['resources']): ResourceId {
	const referrer = resources[link.resource]
	const target =
		referrer?.kind === 'Route' && 'index' in link.place ? referrer.spec.targets[link.place.index]?.virtualNode : null
	const referred = link.missing ?? target ?? null
	return referred !== null && done.some(({ resource }) => resource === referred) ? referred : link.resource
}

/** The new route with the old route's targets: `replace` comes before `shift`. */
export function withTargetsOf(route: Route, old: Route): Route {
	return routeWithTargets(route, old.spec.targets)
}

export function routeWithTargets(route: Route, targets: Route['spec']['targets']): Route {
	const spec = { ...route.spec, targets }
	const hash = hashValue({ kind: route.kind, id: route.id, spec })
	return { ...route, spec, hash }
}
