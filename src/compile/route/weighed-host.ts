import { assert, unreachable } from '#base/assert.ts'
import { canonicalJson } from '#base/hash.ts'
import type { Route } from '#mesh/mesh.ts'
import type { FrontMatch, Sticky, Timeout } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'
import { besideClusterName, routedClusterName } from '../clone-names.ts'
import type { EgressHost } from '../egress-table.ts'
import { egressClusterName } from '../names.ts'
import type { Upstream } from '../upstream.ts'
import { type ClusterWeight, clusterWeights, hashedWeights, wholeWeight } from './weights.ts'

/** A host with the shares in force; what its virtual host is made from, and nothing else. */
export type WeighedHost = { readonly host: EgressHost; readonly routes: readonly WeighedRoute[] }

export type WeighedRoute =
	| {
			readonly kind: 'route'
			readonly route: Route
			readonly weights: readonly ClusterWeight[]
			/** What the weights are drawn by; null: by chance. */
			readonly sticky: Sticky | null
			/** Null: all of its requests go by the weights. */
			readonly front: WeighedFront | null
			/** Of so many of the requests that go by the weights, in parts per million, copies go to these. */
			readonly mirrors: readonly ClusterCopies[]
	  }
	| { readonly kind: 'node'; readonly weights: readonly ClusterWeight[]; readonly timeout: Timeout }

/** Requests of a route that go elsewhere than by its weights. */
export type WeighedFront = {
	readonly matches: readonly FrontMatch[]
	readonly weights: readonly ClusterWeight[]
}

export type ClusterCopies = { readonly cluster: string; readonly sharePpm: number }

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
				const split = splitOf(effective, route.id)
				assert(split !== undefined, `an effective mesh has the shares of every route, and not of ${route.id}`)
				const nameOf = (target: Target) => routedClusterName(target, route.id, effective)
				const sticky = effective.sticky[route.id]
				return {
					kind: 'route',
					route,
					weights: sticky === undefined ? clusterWeights(split, nameOf) : hashedWeights(split, sticky.order, nameOf),
					sticky: sticky?.by ?? null,
					front: weighFront(effective, route),
					mirrors: mirrorsOf(effective, route),
				}
			})
		default:
			return unreachable(upstream)
	}
}

function weighFront({ fronts, resources }: EffectiveMesh, { id }: Route): WeighedFront | null {
	const front = fronts[id]
	if (front?.standing !== 'routed') return null
	const nameOf = (target: Target) => besideClusterName('front', { ...front, target, resources })
	return { matches: front.matches, weights: clusterWeights(front.split, nameOf) }
}

function mirrorsOf({ mirrors, resources }: EffectiveMesh, { id: route }: Route): readonly ClusterCopies[] {
	const mirror = mirrors[route]
	if (mirror?.standing !== 'routed') return []
	return mirror.copies.map(({ sharePpm, ...target }) => {
		return { cluster: besideClusterName('mirror', { ...mirror, target, resources }), sharePpm }
	})
}

export function weighedHostKey({ host, routes }: WeighedHost): string {
	return [host.service.id, host.name, ...host.domains, ...routes.map(weighedRouteKey)].join(' ')
}

export function weighedRouteKey(route: WeighedRoute): string {
	const weights = weightsKey(route.weights)
	if (route.kind === 'node') return `${canonicalJson(route.timeout)} ${weights}`
	const front = route.front === null ? [] : [canonicalJson(route.front.matches), weightsKey(route.front.weights)]
	const mirrors = route.mirrors.map(({ cluster, sharePpm }) => `${cluster}~${sharePpm}`)
	const sticky = route.sticky === null ? [] : [canonicalJson(route.sticky)]
	return [route.route.hash, weights, ...sticky, ...front, ...mirrors].join(' ')
}

function weightsKey(weights: readonly ClusterWeight[]): string {
	return weights.map(({ cluster, weight }) => `${cluster}=${weight}`).join(' ')
}
