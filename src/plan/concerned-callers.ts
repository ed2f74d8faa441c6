import { canonicalJson } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { differingResources } from './differing-resources.ts'
import type { Call, Caller, TargetsOf } from './live-paths.ts'

// Most commits change what no trap is about, or what few callers come by. Looking at every path of a mesh of 10,000
// routes costs more than all else that a commit does.

/** Two meshes, and all calls of both. */
export type MeshCalls = { readonly mesh: Mesh; readonly calls: readonly Call[] }

/**
 * Those who may be caught in a trap between two meshes; whoever is not among them is caught in none. A trap is about a
 * difference between before and after in one of these: the caller, the services that it calls and their providers, the
 * nodes to which requests are sent, the mesh; or in which of several client policies speaks for a node. Routes alone change
 * who sends requests where, and not how.
 */
export function concernedCallers(before: MeshCalls, after: MeshCalls, targetsOf: TargetsOf): ReadonlySet<ResourceId> {
	const calls = [...before.calls, ...after.calls]
	const differing = differingResources(before.mesh.resources, after.mesh.resources)
	// Its own preference of addresses is that of every node without one.
	if (differing.some(({ kind }) => kind === 'Mesh')) return new Set(calls.map(({ caller }) => caller.id))
	const different = new Set(differing.map(({ id }) => id))
	const routers = routersOfNodes(before.mesh, { different, targetsOf })
	const isConcerned = ({ caller, service }: Call): boolean => {
		const provider = service.spec.provider?.id
		return (
			different.has(caller.id) ||
			different.has(service.id) ||
			(provider !== undefined && (different.has(provider) || routers.has(provider)))
		)
	}
	const callers = new Set(before.calls.map(({ caller }) => caller))
	return new Set([
		...calls.filter(isConcerned).map(({ caller }) => caller.id),
		...[...callers].filter(hasSeveralPolicies).map(({ id }) => id),
	])
}

/** True: none is concerned, and no call has to be looked at to know it. As after most commits, which change routes alone. */
export function isFeltByNobody(before: Mesh, after: Mesh): boolean {
	const isRoute = ({ kind }: Resource) => kind === 'Route' || kind === 'GatewayRoute' || kind === 'RolloutPolicy'
	return (
		differingResources(before.resources, after.resources).every(isRoute) &&
		!Object.values(before.resources).some((resource) => resource.kind === 'VirtualNode' && hasSeveralPolicies(resource))
	)
}

type Different = { readonly different: ReadonlySet<ResourceId>; readonly targetsOf: TargetsOf }

/** Routers that send requests to a node which differs. */
function routersOfNodes({ resources }: Mesh, { different, targetsOf }: Different): ReadonlySet<ResourceId> {
	const nodes = [...different].filter((id) => resources[id]?.kind === 'VirtualNode')
	if (nodes.length === 0) return new Set()
	const routes = Object.values(resources).filter((resource) => resource.kind === 'Route')
	const leading = routes.filter((route) => targetsOf(route).some(({ virtualNode }) => different.has(virtualNode)))
	return new Set(leading.map(({ spec }) => spec.virtualRouter))
}

/** Which of them speaks for a node depends on all ways that lead there, and so on the routes. */
function hasSeveralPolicies(caller: Caller): boolean {
	if (caller.kind === 'VirtualGateway') return false
	const [first, ...others] = new Set(caller.spec.backends.map(({ clientTls }) => clientTls))
	return others.some((other) => canonicalJson(other) !== canonicalJson(first ?? null))
}
