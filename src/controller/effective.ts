import type { Mesh, Resource, ResourceId, Route } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import { compareTargets, isSameTarget, splitOfRoute } from '#plan/split.ts'
import {
	type EffectiveMesh,
	type RouteClones,
	type RouteFront,
	type RouteMirror,
	type RouteSticky,
	splitOf,
} from '#rollout/effective-mesh.ts'
import { frontOf } from '#rollout/front.ts'
import { splitInForce } from '#rollout/ladder.ts'
import { targetsOfLane } from '#rollout/lanes.ts'
import { mirrorOf } from '#rollout/mirror.ts'
import { isRunning, type Lane, type Rollout } from '#rollout/rollout.ts'
import { stickyOf } from '#rollout/sticky.ts'

/** What is in force: the applied mesh, and for routes under rollout the shares reached so far. */
export function effectiveMesh(applied: Mesh, rollouts: readonly Rollout[]): EffectiveMesh {
	const written = writtenSplits(applied.resources)
	const moved: Record<ResourceId, Split> = {}
	const prepared: Record<ResourceId, readonly Target[]> = {}
	const clones: Record<ResourceId, RouteClones> = {}
	const fronts: Record<ResourceId, RouteFront> = {}
	const mirrors: Record<ResourceId, RouteMirror> = {}
	const sticky: Record<ResourceId, RouteSticky> = {}
	for (const rollout of rollouts) for (const lane of rollout.lanes) addLane(rollout, lane)
	return { resources: applied.resources, written, moved, prepared, clones, fronts, mirrors, sticky }

	function addLane(rollout: Rollout, lane: Lane): void {
		const [{ id: calledAfter }] = lane.routes
		const standing = rollout.clones === 'routed' ? 'routed' : 'beside'
		const own = { targets: targetsOfLane(rollout, lane), calledAfter, standing } as const
		const front = frontOf(rollout, lane)
		const mirror = mirrorOf(rollout, lane)
		const drawn = stickyOf(rollout, lane)
		for (const { id } of lane.routes) {
			const split = splitOf({ written, moved }, id)
			if (split === undefined) continue
			// An ended one may still have some: they are left as carefully as they were made.
			if (rollout.clones !== 'none') clones[id] = own
			if (isRunning(rollout)) {
				moved[id] = splitInForce(rollout, lane)
				prepared[id] = rollout.canaries
				if (front !== null) fronts[id] = front
				if (mirror !== null) mirrors[id] = mirror
				if (drawn !== null) sticky[id] = drawn
			} else if (isTcp(applied.resources[id]) && hasGoneBack(rollout)) {
				// Who went back has open connections of TCP still, which are counted as long as their cluster is served.
				moved[id] = withTargets(split, rollout.canaries)
			}
		}
	}
}

/** Those that it does not name, without a share. */
function withTargets(split: Split, targets: readonly Target[]): Split {
	const absent = targets.filter((target) => !split.some((member) => isSameTarget(member, target)))
	if (absent.length === 0) return split
	return [...split, ...absent.map((target) => ({ ...target, sharePpm: 0 }))].sort(compareTargets)
}

function isTcp(route: Resource | undefined): boolean {
	return route?.kind === 'Route' && route.spec.protocol === 'tcp'
}

function hasGoneBack({ phase }: Rollout): boolean {
	return phase.kind === 'rolledBack' || phase.kind === 'aborted'
}

const writtenOfMesh = new WeakMap<EffectiveMesh['resources'], EffectiveMesh['written']>()

/** Worked out once for a mesh: a step of a rollout shares it. */
function writtenSplits(resources: EffectiveMesh['resources']): EffectiveMesh['written'] {
	const known = writtenOfMesh.get(resources)
	if (known !== undefined) return known
	const routes = Object.values(resources).filter((resource) => resource.kind === 'Route')
	const made = Object.fromEntries(routes.map((route) => [route.id, writtenSplit(route)]))
	writtenOfMesh.set(resources, made)
	return made
}

const writtenOfRoute = new WeakMap<Route, Split>()

/** A route that another mesh has too has the same there. */
function writtenSplit(route: Route): Split {
	const known = writtenOfRoute.get(route)
	if (known !== undefined) return known
	const split = splitOfRoute(route)
	writtenOfRoute.set(route, split)
	return split
}
