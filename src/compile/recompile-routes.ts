import type { ResourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { callerOf } from './caller-of.ts'
import { type CompiledResource, type ProxyGroup, typeUrls } from './compiled.ts'
import { targetsOfRoute } from './egress-clusters.ts'
import { egressTables, followRoutes } from './egress-table.ts'
import { carriersOf } from './names.ts'
import { compileEgressRoutes } from './route/egress-routes.ts'
import { followNoTcp } from './tcp-egress.ts'

export type Recompiling = {
	readonly group: ProxyGroup
	/** What was compiled before. */
	readonly before: EffectiveMesh
	/** The same for this group, but for `routes`: what is in force of them, and what they say of the same requests. */
	readonly effective: EffectiveMesh
	readonly routes: readonly ResourceId[]
}

/**
 * What of a group's resources may be other when nothing that concerns it but some routes has changed: each with the
 * name of one that was there before; those that are left out, and the names of all, are as they were. Null when that
 * cannot be told without compiling everything: other clusters are reached, or the shares are part of a listener.
 * Costs what the routes' configurations cost, and not the group's.
 */
export function recompileRoutes({ group, before, effective, routes }: Recompiling): readonly CompiledResource[] | null {
	const { resources } = effective
	const caller = callerOf(resources, group.identity)
	if (caller === null) return null
	const rewritten = { before: before.resources, resources, routes }
	followRoutes(caller, group.capture.mode, rewritten)
	followNoTcp(caller, group.capture.mode, rewritten)
	const carriers = carriersOf(effective, group, routes)
	if (carriers.length === 0) return []
	if (carriers.some(({ typeUrl }) => typeUrl !== typeUrls.route)) return null
	if (routes.some((route) => reachedBy(before, route) !== reachedBy(effective, route))) return null
	const names = new Set(carriers.map(({ name }) => name))
	return egressTables(resources, caller, group.capture.mode)
		.filter(({ name }) => names.has(name))
		.map((table) => compileEgressRoutes(effective, caller, table))
}

/** The clusters that a route brings to its callers, as text. */
function reachedBy(effective: EffectiveMesh, route: ResourceId): string {
	const reached = [...targetsOfRoute(effective, route)].map(({ target, own }) =>
		[target.virtualNode, target.port, own?.name, own?.route].join(' '),
	)
	return [...new Set(reached)].sort().join('\n')
}
