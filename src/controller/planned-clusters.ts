import { cloneProblem, sharingOf } from '#compile/sharing.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { ShiftGroup } from '#plan/plan.ts'
import { lanesOf } from '#rollout/lanes.ts'
import type { Lane } from '#rollout/rollout.ts'
import { effectiveMesh } from './effective.ts'

/** By which clusters a rollout will be judged. */
export type PlannedClusters =
	| { readonly kind: 'theirs' }
	/** Its routes get clusters of their own while they are under rollout. */
	| ({ readonly kind: 'clones' } & WhyOwn)
	/** They would, and cannot have any: the rollout will be held before its first step. */
	| ({ readonly kind: 'shared'; readonly problem: string } & WhyOwn)

type WhyOwn = {
	/** Others that send requests to its targets too. */
	readonly sharedWith: readonly string[]
	/** Of several: those with different shares must not be counted together. */
	readonly shares: 'same' | 'different'
}

export function plannedClusters(group: ShiftGroup, before: Mesh, after: Mesh): PlannedClusters {
	const lanes = lanesOf(group.shifts)
	const targets = [...group.rising, ...group.falling]
	const effective = [before, after].map((mesh) => effectiveMesh(mesh, []))
	const routesOf = ({ routes }: Lane) => routes.map(({ id }) => id)
	const own = new Set<string>(lanes.flatMap(routesOf))
	const found = effective.flatMap((mesh) => lanes.flatMap((lane) => sharingOf(mesh, routesOf(lane), targets).now))
	const sharedWith = [...new Set<string>(found)].filter((id) => !own.has(id)).sort()
	const why: WhyOwn = { sharedWith, shares: lanes.length === 1 ? 'same' : 'different' }
	if (found.length === 0) return { kind: 'theirs' }
	const problem = lanes
		.map((lane) => after.resources[lane.routes[0].id])
		.map((route) => (route?.kind === 'Route' ? cloneProblem(effectiveMesh(after, []), route, targets) : null))
		.find((text) => text !== null)
	return problem === undefined ? { kind: 'clones', ...why } : { kind: 'shared', ...why, problem }
}
