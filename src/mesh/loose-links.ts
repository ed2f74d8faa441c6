// What links and probably does not do what was meant: worth a warning, no reason to refuse. App Mesh accepts it, Envoy
// does too, and traffic is lost without a word.

import { compareText } from '#base/diagnostic.ts'
import { type LinkFinding, lastName, type Resources } from './link-finding.ts'
import { findLooseClients } from './loose-clients.ts'
import { findLooseGatewayRoutes } from './loose-gateway-routes.ts'
import { findLooseRoutes } from './loose-routes.ts'
import { findLooseServices } from './loose-services.ts'
import { findLooseTcpBackends } from './loose-tcp-backends.ts'
import type { RolloutPolicy, Route, VirtualNode } from './mesh.ts'
import { policyMatches } from './rollout-policy.ts'

export type LooseLink = LinkFinding

/** Sorted by resource. */
export function findLooseLinks(resources: Resources): readonly LooseLink[] {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	const policies = sorted.filter((resource) => resource.kind === 'RolloutPolicy')
	const routes = sorted.filter((resource) => resource.kind === 'Route')
	const gatewayRoutes = sorted.filter((resource) => resource.kind === 'GatewayRoute')
	const services = sorted.filter((resource) => resource.kind === 'VirtualService')
	const nodes = sorted.filter((resource) => resource.kind === 'VirtualNode')
	return [
		...nodes.flatMap((node) => findLooseBackends(node, resources)),
		...nodes.flatMap((node) => findLooseTcpBackends(node, resources)),
		...findLooseClients(sorted, resources),
		...findLooseServices(services, routes, resources),
		...findLooseRoutes(routes, resources),
		...findLooseGatewayRoutes(gatewayRoutes, resources),
		...policies.flatMap((policy) => findIdlePolicy(policy, routes)),
		...findEqualPolicies(policies),
	].sort((left, right) => compareText(left.resource, right.resource))
}

function findLooseBackends(node: VirtualNode, resources: Resources): readonly LooseLink[] {
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
