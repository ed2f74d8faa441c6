import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { assert, unreachable } from '#base/assert.ts'
import { canonicalJson, sha256Hex } from '#base/hash.ts'
import type { ResourceId, Route, VirtualNode } from '#mesh/mesh.ts'
import type { Timeout } from '#mesh/route-spec.ts'
import type { RouteSchema, VirtualHostSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import type { EgressHost, EgressTable } from '../egress-table.ts'
import { egressClusterName } from '../names.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { egressAction } from './action.ts'
import { anyPath, pathSpecifier, routeMatch } from './match.ts'
import { type ClusterWeight, clusterWeights, wholeWeight } from './weights.ts'

/** A host with the shares in force; what the route configuration is made from, and nothing else. */
type WeighedHost = { readonly host: EgressHost; readonly routes: readonly WeighedRoute[] }

type WeighedRoute =
	| { readonly kind: 'route'; readonly route: Route; readonly weights: readonly ClusterWeight[] }
	| { readonly kind: 'node'; readonly weights: readonly ClusterWeight[]; readonly timeout: Timeout }

/**
 * One route configuration of what a node may call. `validate_clusters` stays off: the snapshot's own check finds names
 * that lead nowhere, and one cluster that a proxy refused must not make it refuse everybody's way back.
 */
export function compileEgressRoutes(effective: EffectiveMesh, node: VirtualNode, table: EgressTable): CompiledResource {
	const hosts = table.hosts.map((host) => ({ host, routes: weighRoutes(effective, host) }))
	const weights = hosts.flatMap(({ routes }) => routes.flatMap((route) => route.weights))
	return compiledResource({
		typeUrl: typeUrls.route,
		name: table.name,
		key: sha256Hex(hosts.map(hostKey).join('\n')),
		schema: RouteConfigurationSchema,
		clusters: weights.map(({ cluster }) => cluster),
		madeOf: [node.id, ...new Set(table.hosts.flatMap(sourcesOf))],
		make: () => create(RouteConfigurationSchema, { name: table.name, virtualHosts: hosts.map(virtualHost) }),
	})
}

function weighRoutes(effective: EffectiveMesh, { upstream }: EgressHost): WeighedRoute[] {
	switch (upstream.kind) {
		case 'node': {
			const cluster = egressClusterName(upstream.target, effective.resources)
			return [{ kind: 'node', weights: wholeWeight(cluster), timeout: upstream.timeout }]
		}
		case 'router':
			return upstream.routes.map((route) => {
				const split = effective.splits[route.id]
				assert(split !== undefined, `an effective mesh has the shares of every route, and not of ${route.id}`)
				return { kind: 'route', route, weights: clusterWeights(split, effective.resources) }
			})
		default:
			return unreachable(upstream)
	}
}

function hostKey({ host, routes }: WeighedHost): string {
	return [host.service.id, host.name, ...host.domains, ...routes.map(routeKey)].join(' ')
}

function routeKey(route: WeighedRoute): string {
	const weights = route.weights.map(({ cluster, weight }) => `${cluster}=${weight}`).join(' ')
	return `${route.kind === 'route' ? route.route.hash : canonicalJson(route.timeout)} ${weights}`
}

function sourcesOf({ service, upstream }: EgressHost): ResourceId[] {
	if (upstream.kind === 'node') return [service.id, upstream.target.virtualNode]
	return [service.id, upstream.router, ...upstream.routes.map(({ id }) => id)]
}

function virtualHost({ host, routes }: WeighedHost): MessageInitShape<typeof VirtualHostSchema> {
	return {
		name: host.name,
		domains: [...host.domains],
		routes: routes.map(envoyRoute),
		metadata: sluiceMetadata('virtualService', host.service.id),
	}
}

function envoyRoute(weighed: WeighedRoute): MessageInitShape<typeof RouteSchema> {
	switch (weighed.kind) {
		case 'node': {
			const value = egressAction(weighed.weights, weighed.timeout, null)
			return { match: { pathSpecifier: pathSpecifier(anyPath) }, action: { case: 'route', value } }
		}
		case 'route': {
			const { match, timeout, retryPolicy } = weighed.route.spec
			const value = egressAction(weighed.weights, timeout, retryPolicy)
			if (match.kind !== 'http') return { name: weighed.route.name }
			return { name: weighed.route.name, match: routeMatch(match), action: { case: 'route', value } }
		}
		default:
			return unreachable(weighed)
	}
}
