import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { isSameSplit, splitOfRoute, withoutZeros } from '#plan/split.ts'
import { isUnsettled, type Lane, laneOf, type Rollout } from '#rollout/rollout.ts'
import { routeWithTargets } from './apply-at-once.ts'

// What is left of a rollout that has succeeded, and what was before it: where a person may take it back to.

/** Its routes that still have what it brought: without those that something else has moved since, or moves now. */
export function lanesInForce(
	{ id: own, lanes }: Pick<Rollout, 'id' | 'lanes'>,
	rollouts: readonly Rollout[],
	applied: Pick<Mesh, 'resources'>,
): Lane[] {
	const isInForce = (id: ResourceId, { target }: Lane) => {
		const route = applied.resources[id]
		const isMoved = rollouts.some((other) => other.id !== own && isUnsettled(other) && laneOf(other, id) !== null)
		return !isMoved && route?.kind === 'Route' && isSameSplit(splitOfRoute(route), target)
	}
	return lanes.flatMap((lane) => {
		const [first, ...others] = lane.routes.filter(({ id }) => isInForce(id, lane))
		return first === undefined ? [] : [{ ...lane, routes: [first, ...others] }]
	})
}

/** Routes as they are once that is taken back, by id. */
export function routesBefore(
	lanes: readonly Lane[],
	{ resources }: Pick<Mesh, 'resources'>,
): Record<ResourceId, Resource> {
	const before: Record<ResourceId, Resource> = {}
	for (const { routes, good } of lanes) {
		const targets = withoutZeros(good).map(({ virtualNode, port, sharePpm }) => ({
			virtualNode,
			port,
			weight: sharePpm,
		}))
		for (const { id } of routes) {
			const route = resources[id]
			if (route?.kind === 'Route') before[id] = routeWithTargets(route, targets)
		}
	}
	return before
}
