import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'

/**
 * What is in force at this moment: the applied resources, what is prepared, and the shares each rollout has reached.
 * A pure function of the controller's state; everything that is served is compiled from it.
 */
export type EffectiveMesh = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	/** Route → shares in force, for every route that has targets. */
	readonly splits: Readonly<Record<ResourceId, Split>>
	/** Route → targets whose clusters its callers must hold already, though no share names them yet. */
	readonly prepared: Readonly<Record<ResourceId, readonly Target[]>>
	/** Route → its clone clusters, for routes that have some. */
	readonly clones: Readonly<Record<ResourceId, RouteClones>>
}

/** `beside`: they are served, and the route leads to the shared clusters · `routed`: it leads to its own. */
export type RouteClones = { readonly targets: readonly Target[]; readonly standing: 'beside' | 'routed' }
