import { hashValue } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import { policyForRoute } from '#mesh/rollout-policy.ts'
import type { Change, Plan, Shift, Target } from './plan.ts'
import { type Reach, reachOf } from './reach.ts'
import { isSameSplit, shareOf, splitOfRoute, targetKey, unionOfTargets } from './split.ts'

// The difference between two meshes, classified by what it does to live traffic. A change that nobody can feel yet is
// `prepare`, a change of shares is `shift`, any other change of live traffic is `replace`, what nothing needs any more
// is `remove`.

const order = ['prepare', 'replace', 'shift', 'remove'] as const

/** What has to happen for `applied` to become `desired`. Deterministic: sorted by kind, then by resource. */
export function planChanges(applied: Mesh, desired: Mesh): Plan {
	const before = reachOf(applied)
	const after = reachOf(desired)
	const ids = [
		...new Set([...Object.keys(applied.resources), ...Object.keys(desired.resources)]),
	].sort() as ResourceId[]
	const changes = ids.flatMap((id) =>
		changesOf(applied.resources[id], desired.resources[id], { desired, before, after }),
	)
	changes.sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind))
	return { applied: applied.hash, desired: desired.hash, changes }
}

type Context = { readonly desired: Mesh; readonly before: Reach; readonly after: Reach }

function changesOf(applied: Resource | undefined, desired: Resource | undefined, context: Context): Change[] {
	if (applied === undefined) return desired === undefined ? [] : [added(desired, context)]
	if (desired === undefined) return [removed(applied, context)]
	if (applied.hash === desired.hash) return []
	if (applied.kind === 'Route' && desired.kind === 'Route') return changedRoute(applied, desired, context)
	return [changed(applied, desired, context)]
}

function added(resource: Resource, { before }: Context): Change {
	if (resource.kind === 'Route' && before.routers.has(resource.spec.virtualRouter)) {
		const reason = 'a new route of a live router takes requests that others took before'
		return { kind: 'replace', resource: resource.id, action: 'add', reason }
	}
	return { kind: 'prepare', resource: resource.id, action: 'add' }
}

function removed(resource: Resource, { before }: Context): Change {
	if (resource.kind === 'RolloutPolicy') return { kind: 'prepare', resource: resource.id, action: 'remove' }
	if (resource.kind === 'Route' && before.routers.has(resource.spec.virtualRouter)) {
		const reason = 'its requests fall to the next matching route, or find none'
		return { kind: 'replace', resource: resource.id, action: 'remove', reason }
	}
	if (resource.kind === 'VirtualService' && before.services.has(resource.id)) {
		const reason = 'callers that declare it as a backend no longer reach it'
		return { kind: 'replace', resource: resource.id, action: 'remove', reason }
	}
	return { kind: 'remove', resource: resource.id }
}

function changed(applied: Resource, desired: Resource, { before }: Context): Change {
	const reason = replaceReason(applied, desired, before)
	if (reason === null) return { kind: 'prepare', resource: desired.id, action: 'change' }
	return { kind: 'replace', resource: desired.id, action: 'change', reason }
}

/** What live traffic feels of a changed resource, or null when it feels nothing. */
function replaceReason(applied: Resource, desired: Resource, before: Reach): string | null {
	switch (applied.kind) {
		case 'RolloutPolicy':
		case 'Route':
		case 'VirtualGateway':
		case 'GatewayRoute':
			return null
		case 'Mesh':
			return 'mesh-wide settings of every proxy change'
		case 'VirtualRouter':
			return before.routers.has(applied.id) ? 'the ports of a live router change' : null
		case 'VirtualService':
			if (applied.spec.provider === null || !before.services.has(applied.id)) return null
			return 'a live virtual service gets another provider'
		case 'VirtualNode': {
			const parts = changedParts(applied.spec, desired.kind === 'VirtualNode' ? desired.spec : applied.spec)
			if (before.nodes.has(applied.id)) return `${parts.join(', ')} of a live virtual node change`
			// Its own proxies may run already, though no route leads to it.
			return parts.some((part) => part !== 'serviceDiscovery') ? `${parts.join(', ')} of its own proxies change` : null
		}
	}
}

function changedParts(applied: object, desired: object): string[] {
	const right = new Map(Object.entries(desired))
	return Object.entries(applied)
		.filter(([name, value]) => hashValue(value) !== hashValue(right.get(name)))
		.map(([name]) => name)
}

function changedRoute(applied: Route, desired: Route, context: Context): Change[] {
	if (!context.before.routers.has(applied.spec.virtualRouter)) {
		return [{ kind: 'prepare', resource: desired.id, action: 'change' }]
	}
	const changes: Change[] = []
	const parts = changedParts(applied.spec, desired.spec).filter((part) => part !== 'targets')
	if (parts.length > 0) {
		changes.push({
			kind: 'replace',
			resource: desired.id,
			action: 'change',
			reason: `${parts.join(', ')} of a live route change`,
		})
	}
	const shift = shiftOf(applied, desired, context.desired)
	if (shift !== null) changes.push(shift)
	// Other targets, or weights written in another scale, with the same shares: no request is treated otherwise.
	else if (parts.length === 0) changes.push({ kind: 'prepare', resource: desired.id, action: 'change' })
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
		policy: policyForRoute(mesh, desired),
		quarantineKey: quarantineKeyOf(desired, rising, mesh),
	}
}

/**
 * The key under which a failed shift is quarantined (rules, motion 10): the rising targets' shares with the normalised
 * specs of the route, its router and those targets. The falling targets' weights are no part of it.
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
	})
}
