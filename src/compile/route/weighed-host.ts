import { assert, unreachable } from '#base/assert.ts'
import { canonicalJson } from '#base/hash.ts'
import type { Route } from '#mesh/mesh.ts'
import type { Timeout } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { routedClusterName } from '../clone-names.ts'
import type { EgressHost } from '../egress-table.ts'
import { egressClusterName } from '../names.ts'
import type { Upstream } from '../upstream.ts'
import { type ClusterWeight, clusterWeights, wholeWeight } from './weights.ts'

/** A host with the shares in force; what its virtual host is made from, and nothing else. */
export type WeighedHost = { readonly host: EgressHost; readonly routes: readonly WeighedRoute[] }

export type WeighedRoute =
	| { readonly kind: 'route'; readonly route: Route; readonly weights: readonly ClusterWeight[] }
	| { readonly kind: 'node'; readonly weights: readonly ClusterWeight[]; readonly timeout: Timeout }

export function weighHost(effective: EffectiveMesh, host: EgressHost): WeighedHost {
	return { host, routes: weighUpstream(effective, host.upstream) }
}

/** The routes of an upstream in the order in which they are tried, each with its shares. */
export function weighUpstream(effective: EffectiveMesh, upstream: Upstream): WeighedRoute[] {
	switch (upstream.kind) {
		case 'node': {
			const cluster = egressClusterName(upstream.target, effective.resources)
			return [{ kind: 'node', weights: wholeWeight(cluster), timeout: upstream.timeout }]
		}
		case 'router':
			return upstream.routes.map((route) => {
				const split = effective.splits[route.id]
				assert(split !== undefined, `an effective mesh has the shares of every route, and not of ${route.id}`)
				const nameOf = (target: Target) => routedClusterName(target, route.id, effective)
				return { kind: 'route', route, weights: clusterWeights(split, nameOf) }
			})
		default:
			return unreachable(upstream)
	}
}

export function weighedHostKey({ host, routes }: WeighedHost): string {
	return [host.service.id, host.name, ...host.domains, ...routes.map(weighedRouteKey)].join(' ')
}

export function weighedRouteKey(route: WeighedRoute): string {
	const weights = route.weights.map(({ cluster, weight }) => `${cluster}=${weight}`).join(' ')
	return `${route.kind === 'route' ? route.route.hash : canonicalJson(route.timeout)} ${weights}`
}
