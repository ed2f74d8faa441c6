import { hashValue } from '#base/hash.ts'
import { type BrokenLink, findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import { type Caller, callsOf } from '#plan/live-paths.ts'
import type { Change, Plan, Prepare, Replace } from '#plan/plan.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'

// What of a plan takes effect at once: everything but shares and removals. Left out is what a running rollout stands on,
// and what would not link with what stays in force; the rest of the commit goes on without it (rules, motion 10).

export type AtOnce = {
	readonly plan: Plan
	readonly applied: Mesh
	readonly desired: Mesh
	readonly rollouts: readonly Rollout[]
	/** The applied resources; changed in place. */
	readonly resources: Record<ResourceId, Resource>
}

/** Carries out `prepare` and `replace` on `resources`, as far as that is possible now, and returns what was done. */
export function applyAtOnce(options: AtOnce): Change[] {
	const { plan, applied, desired, resources } = options
	const shifting = new Set(plan.changes.flatMap((change) => (change.kind === 'shift' ? [change.route] : [])))
	const done: (Prepare | Replace)[] = []
	for (const change of plan.changes) {
		if (change.kind !== 'prepare' && change.kind !== 'replace') continue
		const { resource: id } = change
		const next = desired.resources[id]
		const before = applied.resources[id]
		if (isUnderRollout(before, next, options)) continue
		if (next === undefined) delete resources[id]
		else if (shifting.has(id) && next.kind === 'Route' && before?.kind === 'Route')
			resources[id] = withTargetsOf(next, before)
		else resources[id] = next
		if (resources[id]?.hash !== before?.hash) done.push(change)
	}
	return keepLinked(done, applied, resources)
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
			return running.some(({ route }) => route === before.id)
		case 'VirtualNode': {
			if (next?.kind !== 'VirtualNode') return false
			const parts = ({ spec }: typeof before) => hashValue([spec.listeners, spec.serviceDiscovery])
			if (judged.some((rollout) => isTargetOf(rollout, before.id)) && parts(before) !== parts(next)) return true
			return changesWayTo(judged, { before, next, applied })
		}
		case 'VirtualGateway':
			return next?.kind === 'VirtualGateway' && changesWayTo(judged, { before, next, applied })
		case 'Mesh': {
			if (next?.kind !== 'Mesh' || before.spec.ipPreference === next.spec.ipPreference) return false
			return judged.some(({ route }) => route.startsWith(`${before.id}/`))
		}
		default:
			return false
	}
}

type CallerChange = { readonly before: Caller; readonly next: Caller; readonly applied: Mesh }

/** A caller's client policy is part of its clusters of whatever it calls. */
function changesWayTo(judged: readonly Rollout[], { before, next, applied }: CallerChange): boolean {
	const routers = new Set(judged.map(({ route }) => route.slice(0, route.indexOf('/route/'))))
	if (routers.size === 0) return false
	const later = callsOf({ ...applied, resources: { ...applied.resources, [next.id]: next } })
	return callsOf(applied).some(({ caller, service, clientTls }) => {
		if (caller.id !== before.id || !routers.has(service.spec.provider?.id ?? '')) return false
		const call = later.find((other) => other.caller.id === next.id && other.service.id === service.id)
		return call !== undefined && hashValue(call.clientTls) !== hashValue(clientTls)
	})
}

export function isTargetOf({ good, target }: Rollout, node: ResourceId): boolean {
	return [...good, ...target].some(({ virtualNode }) => virtualNode === node)
}

/** Takes back what does not link with what stays, and what leans on that in turn; returns what is left. */
function keepLinked(done: readonly (Prepare | Replace)[], applied: Mesh, resources: AtOnce['resources']): Change[] {
	let left = [...done]
	while (left.length > 0) {
		const broken = findBrokenLinks(resources)
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
