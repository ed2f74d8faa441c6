// Whether the counters of a route's clusters are the route's alone.
import { limits } from '#base/limits.ts'
import { madeFor } from '#base/made-for.ts'
import type { ResourceId, Route } from '#mesh/mesh.ts'
import type { Target } from '#plan/plan.ts'
import { isSameTarget, shareOf, targetKey } from '#plan/split.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'
import { callerOf } from './caller-of.ts'
import { cloneClusterName } from './clone-names.ts'
import { egressTables } from './egress-table.ts'
import { callersOf, egressClusterName } from './names.ts'
import { possibleTcpEgresses } from './tcp-egress.ts'
import type { Upstream } from './upstream.ts'

export type Sharing = {
	/** Routes, and virtual services that a target provides itself, whose requests are counted with theirs. Sorted. */
	readonly now: readonly ResourceId[]
	/** Routes under rollout that are to send requests there, and have no clones yet. Sorted. */
	readonly soon: readonly ResourceId[]
}

/**
 * Who else, at any proxy that carries one of the routes, sends requests to these targets by the clusters that are not a
 * route's own. Routes whose requests may be counted together do not share with each other.
 */
export function sharingOf(
	effective: EffectiveMesh,
	routes: readonly ResourceId[],
	targets: readonly Target[],
): Sharing {
	const { services, routed, all } = besideOf(effective, routes, targets)
	const { moved, prepared, clones } = effective
	const now = new Set(services)
	const soon = new Set<ResourceId>()
	const underRollout = [moved, prepared, clones].flatMap((each) => Object.keys(each) as ResourceId[])
	for (const id of [...routed, ...underRollout.filter((route) => all.has(route))]) {
		const standing = clones[id]?.standing
		const split = splitOf(effective, id) ?? []
		if (standing !== 'routed' && targets.some((target) => shareOf(split, target) > 0)) now.add(id)
		const coming = standing === undefined ? (prepared[id] ?? []) : []
		if (targets.some((target) => coming.some((other) => isSameTarget(target, other)))) soon.add(id)
	}
	return { now: [...now].sort(), soon: [...soon].sort() }
}

/** What follows from the resources alone. */
type Beside = {
	/** Virtual services that one of the targets provides itself. */
	readonly services: ReadonlySet<ResourceId>
	/** Routes that are written to send requests to the targets. */
	readonly routed: readonly ResourceId[]
	/** All routes beside those. */
	readonly all: ReadonlySet<ResourceId>
}

type Resources = EffectiveMesh['resources']

/** A step of a rollout leaves the resources as they are, and whoever calls much would be looked through again with each. */
const knownBeside = madeFor<Resources, Beside>()

function besideOf(effective: EffectiveMesh, routes: readonly ResourceId[], targets: readonly Target[]): Beside {
	const of = [...routes, ...targets.map(targetKey)].join(' ')
	return knownBeside(effective.resources, of, () => findBeside(effective, routes, targets))
}

function findBeside(
	{ resources, written }: EffectiveMesh,
	routes: readonly ResourceId[],
	targets: readonly Target[],
): Beside {
	const services = new Set<ResourceId>()
	const all = new Set<ResourceId>()
	for (const { via, upstream } of upstreamsBesideOf(resources, routes)) {
		if (upstream.kind === 'router') for (const { id } of upstream.routes) all.add(id)
		else if (targets.some((target) => isSameTarget(target, upstream.target))) services.add(via)
	}
	for (const route of routes) all.delete(route)
	const routed = [...all].filter((id) => targets.some((target) => shareOf(written[id] ?? [], target) > 0))
	return { services, routed, all }
}

/** Everything that the callers of the routes may call, however their traffic is captured. */
function* upstreamsBesideOf(
	resources: Resources,
	routes: readonly ResourceId[],
): Iterable<{ readonly via: ResourceId; readonly upstream: Upstream }> {
	for (const identity of callersOf({ resources }, routes)) {
		const caller = callerOf(resources, identity)
		if (caller === null) continue
		const hosts = egressTables(resources, caller, 'explicit').flatMap((table) => table.hosts)
		for (const { service, upstream } of [...hosts, ...possibleTcpEgresses(resources, caller)])
			yield { via: service.id, upstream }
	}
}

/** Why a route, or the first of several, cannot have clones of these targets, in words; null when it can. */
export function cloneProblem(effective: EffectiveMesh, route: Route, targets: readonly Target[]): string | null {
	// Its weights are part of a listener: to switch clusters would end every open connection after the drain time, twice.
	if (route.spec.protocol === 'tcp') return 'a TCP route cannot have clusters of its own'
	const names = targets.map((target) => cloneClusterName(target, route.id, effective.resources))
	const tooLong = names.find((name) => name.length > limits.clusterNameChars)
	if (tooLong !== undefined)
		return `the name of a cluster of its own would have ${tooLong.length} characters, of at most ${limits.clusterNameChars}`
	const taken = new Set(takenNames(effective, route.id))
	const clash = names.find((name) => taken.has(name))
	return clash === undefined ? null : `the name of its own cluster, ${clash}, is taken`
}

/** Underlines join the parts of a name, and are allowed in them. */
function* takenNames({ resources, clones }: EffectiveMesh, route: ResourceId): Iterable<string> {
	for (const resource of Object.values(resources)) {
		if (resource.kind !== 'VirtualNode') continue
		for (const { port } of resource.spec.listeners)
			yield egressClusterName({ virtualNode: resource.id, port }, resources)
	}
	for (const { targets, calledAfter } of Object.values(clones)) {
		if (calledAfter === route) continue
		for (const target of targets) yield cloneClusterName(target, calledAfter, resources)
	}
}
