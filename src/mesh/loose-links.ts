// Names that lead nowhere and are accepted all the same, as App Mesh does: worth a warning, no reason to refuse.

import { compareText } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { lastName } from './link.ts'
import type { Resource, ResourceId, RolloutPolicy, Route, VirtualNode } from './mesh.ts'
import { policyMatches } from './rollout-policy.ts'

export type LoosePlace = { readonly kind: 'backend'; readonly service: string } | { readonly kind: 'match' }

export type LooseLink = {
	readonly code: DiagnosticCode
	readonly resource: ResourceId
	readonly place: LoosePlace
	readonly message: string
	/** The resource that was named and is not declared; null when something else is to be said. */
	readonly missing: ResourceId | null
}

/** Sorted by resource. */
export function findLooseLinks(resources: Readonly<Record<ResourceId, Resource>>): readonly LooseLink[] {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	const policies = sorted.filter((resource) => resource.kind === 'RolloutPolicy')
	const routes = sorted.filter((resource) => resource.kind === 'Route')
	const nodes = sorted.filter((resource) => resource.kind === 'VirtualNode')
	return [
		...nodes.flatMap((node) => findLooseBackends(node, resources)),
		...policies.flatMap((policy) => findIdlePolicy(policy, routes)),
		...findEqualPolicies(policies),
	].sort((left, right) => compareText(left.resource, right.resource))
}

function findLooseBackends(node: VirtualNode, resources: Readonly<Record<ResourceId, Resource>>): readonly LooseLink[] {
	return node.spec.backends
		.filter(({ virtualService }) => resources[virtualService] === undefined)
		.map(({ virtualService }) => {
			const service = lastName(virtualService)
			const message = `the backend "${service}" is no virtual service of the mesh (yet): calls to it find no route`
			return {
				code: 'SL0306',
				resource: node.id,
				place: { kind: 'backend', service },
				message,
				missing: virtualService,
			}
		})
}

/** A policy that names a route or router and matches none of them. An empty match is never idle. */
function findIdlePolicy(policy: RolloutPolicy, routes: readonly Route[]): readonly LooseLink[] {
	const { virtualRouter, route } = policy.spec.match
	if ((virtualRouter === null && route === null) || routes.some((candidate) => policyMatches(policy, candidate)))
		return []
	const message = `the rollout policy "${policy.name}" speaks for no route of the mesh`
	return [{ code: 'SL0310', resource: policy.id, place: { kind: 'match' }, message, missing: null }]
}

function findEqualPolicies(policies: readonly RolloutPolicy[]): readonly LooseLink[] {
	const equal = Map.groupBy(policies, ({ mesh, spec: { match } }) =>
		JSON.stringify([mesh, match.virtualRouter, match.route]),
	)
	return [...equal.values()].flatMap(([first, ...others]) =>
		others.map((policy): LooseLink => {
			const message = `the rollout policy "${policy.name}" has the same match as "${first?.name}", which is used: the first by name`
			return { code: 'SL0311', resource: policy.id, place: { kind: 'match' }, message, missing: null }
		}),
	)
}
