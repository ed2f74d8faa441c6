import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { FrontMatch, Sticky } from '#mesh/route-spec.ts'
import type { Split, SplitTarget, Target } from '#plan/plan.ts'

/**
 * What is in force at this moment: the applied resources, what is prepared, and the shares each rollout has reached.
 * A pure function of the controller's state; everything that is served is compiled from it.
 */
export type EffectiveMesh = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	/** Route → shares as its resource has them, for every route that has targets. One object for the same resources. */
	readonly written: Readonly<Record<ResourceId, Split>>
	/** Route → shares in force, for the few where others may be than are written. */
	readonly moved: Readonly<Record<ResourceId, Split>>
	/** Route → targets whose clusters its callers must hold already, though no share names them yet. */
	readonly prepared: Readonly<Record<ResourceId, readonly Target[]>>
	/** Route → its clone clusters, for routes that have some; those of one lane have the same. */
	readonly clones: Readonly<Record<ResourceId, RouteClones>>
	/** Route → what goes to its canaries whatever its shares, for routes under rollout that have that. */
	readonly fronts: Readonly<Record<ResourceId, RouteFront>>
	/** Route → copies of its requests, for routes under rollout of which some are made. */
	readonly mirrors: Readonly<Record<ResourceId, RouteMirror>>
	/** Route → how its requests are drawn, for routes under rollout where it is not by chance. */
	readonly sticky: Readonly<Record<ResourceId, RouteSticky>>
}

/** The shares of a route in force; undefined when it has no targets. */
export function splitOf(
	{ written, moved }: Pick<EffectiveMesh, 'written' | 'moved'>,
	route: ResourceId,
): Split | undefined {
	return moved[route] ?? written[route]
}

/** Route → shares in force, for every route that has targets. It costs the size of the mesh. */
export function allSplits({ written, moved }: EffectiveMesh): Readonly<Record<ResourceId, Split>> {
	return { ...written, ...moved }
}

/** `beside`: they are served, and the route leads to the shared clusters · `routed`: it leads to its own. */
export type RouteClones = {
	readonly targets: readonly Target[]
	/** The route that they are called after. */
	readonly calledAfter: ResourceId
	readonly standing: 'beside' | 'routed'
}

/** `beside`: its clusters are served, and nothing is matched · `routed`: what matches leads to them. */
export type RouteFront = {
	/** Any of them matches. */
	readonly matches: readonly FrontMatch[]
	readonly split: Split
	/** The route that its clusters are called after: the first of the rollout. */
	readonly calledAfter: ResourceId
	readonly standing: 'beside' | 'routed'
}

/** `beside`: its clusters are served, and nothing is copied · `routed`: copies are sent. */
export type RouteMirror = {
	/** Of so many parts of the requests, each drawn by itself. They sum to no whole. */
	readonly copies: readonly SplitTarget[]
	/** As those of what is in front. */
	readonly calledAfter: ResourceId
	readonly standing: 'beside' | 'routed'
}

/** A request that has it is drawn by its hash; one that has not, by chance. */
export type RouteSticky = {
	readonly by: Sticky
	/** In which the shares are cumulated: the hash of a user falls into the sum. */
	readonly order: readonly Target[]
}
