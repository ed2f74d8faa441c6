import type { Mesh, ResourceId, Route } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import { splitOfRoute } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { splitInForce } from '#rollout/ladder.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'

const splits = new WeakMap<Route, Split>()

/** What is in force: the applied mesh, and for routes under rollout the shares reached so far. */
export function effectiveMesh(applied: Mesh, rollouts: readonly Rollout[]): EffectiveMesh {
	const inForce: Record<ResourceId, Split> = {}
	const prepared: Record<ResourceId, readonly Target[]> = {}
	for (const resource of Object.values(applied.resources)) {
		if (resource.kind === 'Route') inForce[resource.id] = writtenSplit(resource)
	}
	for (const rollout of rollouts) {
		if (!isRunning(rollout) || inForce[rollout.route] === undefined) continue
		inForce[rollout.route] = splitInForce(rollout)
		prepared[rollout.route] = rollout.canaries
	}
	return { resources: applied.resources, splits: inForce, prepared }
}

function writtenSplit(route: Route): Split {
	const known = splits.get(route)
	if (known !== undefined) return known
	const split = splitOfRoute(route)
	splits.set(route, split)
	return split
}
