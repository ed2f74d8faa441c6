import { hashValue } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import { policyForRoute } from '#mesh/rollout-policy.ts'
import { changedPartsOfRoute, describeParts } from './changed-parts.ts'
import { differingIds } from './differing-resources.ts'
import { feltOf, type Side } from './felt-change.ts'
import type { Change, Plan, Shift, Target } from './plan.ts'
import { reachOf } from './reach.ts'
import { isSameSplit, shareOf, splitOfRoute, targetKey, unionOfTargets } from './split.ts'

// The difference between two meshes, classified by what it does to live traffic. A change that nobody can feel yet is
// `prepare`, a change of shares is `shift`, any other change of live traffic is `replace`, what nothing needs any more
// is `remove`.

const order = ['prepare', 'replace', 'shift', 'remove'] as const

/** What has to happen for `applied` to become `desired`. Deterministic: sorted by kind, then by resource. */
export function planChanges(applied: Mesh, desired: Mesh): Plan {
	const before: Side = { mesh: applied, reach: reachOf(applied) }
	const ids = differingIds(applied.resources, desired.resources)
	const changes = ids.flatMap((id) => changesOf(applied.resources[id], desired.resources[id], { desired, before }))
	changes.sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind))
	return { applied: applied.hash, desired: desired.hash, changes }
}

type Context = { readonly desired: Mesh; readonly before: Side }

function changesOf(applied: Resource | undefined, desired: Resource | undefined, context: Context): Change[] {
	if (applied === undefined) return desired === undefined ? [] : [added(desired, context)]
	if (desired === undefined) return [removed(applied, context)]
	if (applied.kind === 'Route' && desired.kind === 'Route') return changedRoute(applied, desired, context)
	return [changed(applied, desired, context)]
}

function added(resource: Resource, { before }: Context): Change {
	if (resource.kind === 'Route' && before.reach.routers.has(resource.spec.virtualRouter)) {
		const reason = 'a new route of a live router takes requests that others took before'
		return { kind: 'replace', resource: resource.id, action: 'add', when: 'atOnce', reason }
	}
	if (resource.kind === 'GatewayRoute' && has(before.mesh, resource.spec.virtualGateway)) {
		const reason = 'a new gateway route of a live virtual gateway takes requests that others took before, or none'
		return { kind: 'replace', resource: resource.id, action: 'add', when: 'atOnce', reason }
	}
	return { kind: 'prepare', resource: resource.id, action: 'add', reason: null }
}

function removed(resource: Resource, { before, desired }: Context): Change {
	const replace = (reason: string): Change => {
		return { kind: 'replace', resource: resource.id, action: 'remove', when: 'atOnce', reason }
	}
	if (resource.kind === 'RolloutPolicy')
		return { kind: 'prepare', resource: resource.id, action: 'remove', reason: null }
	if (resource.kind === 'Route' && before.reach.routers.has(resource.spec.virtualRouter))
		return replace('its requests fall to the next matching route, or find none')
	if (resource.kind === 'GatewayRoute' && has(desired, resource.spec.virtualGateway))
		return replace('its requests fall to the next matching gateway route, or find none')
	if (resource.kind === 'VirtualService' && before.reach.services.has(resource.id))
		return replace('callers that declare it as a backend no longer reach it')
	return { kind: 'remove', resource: resource.id }
}

function changed(applied: Resource, desired: Resource, { before }: Context): Change {
	const felt = feltOf(applied, desired, before)
	return { ...felt, resource: desired.id, action: 'change' }
}

function has(mesh: Mesh, id: ResourceId): boolean {
	return mesh.resources[id] !== undefined
}

function changedRoute(applied: Route, desired: Route, context: Context): Change[] {
	const prepare: Change = { kind: 'prepare', resource: desired.id, action: 'change', reason: null }
	if (!context.before.reach.routers.has(applied.spec.virtualRouter)) return [prepare]
	const changes: Change[] = []
	const parts = changedPartsOfRoute(applied.spec, desired.spec)
	if (parts.length > 0) {
		const reason = describeParts(parts, 'a live route')
		changes.push({ kind: 'replace', resource: desired.id, action: 'change', when: 'atOnce', reason })
	}
	const shift = shiftOf(applied, desired, context.desired)
	if (shift !== null) changes.push(shift)
	// Other targets, or weights written in another scale, with the same shares: no request is treated otherwise.
	else if (parts.length === 0) changes.push(prepare)
	return changes
}

/** The change of a route's shares, or null when they stay. */
export function shiftOf(applied: Route, desired: Route, mesh: Mesh): Shift | null {
	const before = splitOfRoute(applied)
	const after = splitOfRoute(desired)
	if (isSameSplit(before, after)) return null
	const targets = unionOfTargets(before, after)
	const rising = targets.filter((target) => shareOf(after, target) > shareOf(before, target))
	const falling = targets.filter((target) => shareOf(after, target) < shareOf(before, target))
	return {
		kind: 'shift',
		route: desired.id,
		before,
		after,
		rising,
		falling,
		unit: desired.spec.protocol === 'tcp' ? 'connections' : 'requests',
		policy: policyForRoute(mesh, desired),
		quarantineKey: quarantineKeyOf(desired, rising, mesh),
	}
}

/**
 * The key under which a failed shift is quarantined (rules, motion 10): the rising targets' shares with the normalised
 * specs of the route, its router and those targets. The falling targets' weights are no part of it. It is part of a
 * rollout's state, so it is no longer than contents of one route need to be told apart.
 */
export function quarantineKeyOf(route: Route, rising: readonly Target[], mesh: Mesh): string {
	const split = splitOfRoute(route)
	const { targets: _, ...routeSpec } = route.spec
	return hashValue({
		route: route.id,
		routeSpec,
		router: mesh.resources[route.spec.virtualRouter]?.hash ?? null,
		rising: rising.map((target) => ({
			target: targetKey(target),
			sharePpm: shareOf(split, target),
			node: mesh.resources[target.virtualNode]?.hash ?? null,
		})),
	}).slice(0, 16)
}
