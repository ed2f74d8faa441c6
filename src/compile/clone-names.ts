// A route under rollout whose targets other routes reach too has clusters of its own while it lasts: else the counters of
// a cluster would be everybody's, and no evidence. They are clones of the shared ones, but for the name.
import { sha256Hex } from '#base/hash.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { Target } from '#plan/plan.ts'
import { isSameTarget } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { egressClusterName, type Resources } from './names.ts'

/**
 * `cds_egress_apps_serviceB_http2_80_rollout_serviceB_main`.
 * @param calledAfter the route that has them, or the first of those that share them
 */
export function cloneClusterName(target: Target, calledAfter: ResourceId, resources: Resources): string {
	const [, , , router, , name] = calledAfter.split('/')
	return `${egressClusterName(target, resources)}_rollout_${router}_${name}`
}

/**
 * `cds_egress_apps_serviceBv2_http_80_front_1f0c9a7be25d`: where what is in front of a route leads, or its copies. By a hash
 * of the route's id, so that it is never too long and never another cluster's.
 */
export function besideClusterName(
	way: 'front' | 'mirror',
	{
		target,
		calledAfter,
		resources,
	}: { readonly target: Target; readonly calledAfter: ResourceId; readonly resources: Resources },
): string {
	return `${egressClusterName(target, resources)}_${way}_${sha256Hex(calledAfter).slice(0, 12)}`
}

/** The cluster that a route's requests to a target go to, if it has a share. */
export function routedClusterName(target: Target, route: ResourceId, effective: EffectiveMesh): string {
	const isRouted = effective.clones[route]?.standing === 'routed'
	return isRouted ? ownClusterName(target, route, effective) : egressClusterName(target, effective.resources)
}

/** The route's own cluster of a target where there is one, whether its requests go there by now or not; else the shared. */
export function ownClusterName(target: Target, route: ResourceId, { clones, resources }: EffectiveMesh): string {
	const own = clones[route]
	const hasClone = own?.targets.some((cloned) => isSameTarget(cloned, target)) === true
	return hasClone ? cloneClusterName(target, own.calledAfter, resources) : egressClusterName(target, resources)
}
