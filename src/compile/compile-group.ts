// From what is in force to what one group of proxies is to hold. Nothing is built here: each resource carries a key of
// what it would be made from, so that a change of one weight costs one route configuration, however large the mesh.
import type { Discovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { callerOf } from './caller-of.ts'
import { compileVirtualGateway } from './compile-virtual-gateway.ts'
import { compileVirtualNode } from './compile-virtual-node.ts'
import type { CompiledResource, ProxyGroup } from './compiled.ts'

/** All resources of a group, in no particular order, each name once a type; null when its identity is not in the mesh. */
export function compileGroup(
	effective: EffectiveMesh,
	group: ProxyGroup,
	discovered: Discovered,
): readonly CompiledResource[] | null {
	const input = { effective, group, discovered }
	const caller = callerOf(effective.resources, group.identity)
	if (caller === null) return null
	return eachOnce(
		caller.kind === 'VirtualNode' ? compileVirtualNode(input, caller) : compileVirtualGateway(input, caller),
	)
}

/** One secret may be named in many places, and comes with each. */
function eachOnce(compiled: readonly CompiledResource[]): CompiledResource[] {
	const found = new Map<string, CompiledResource>()
	for (const resource of compiled) {
		const key = `${resource.typeUrl} ${resource.name}`
		if (!found.has(key)) found.set(key, resource)
	}
	return [...found.values()]
}
