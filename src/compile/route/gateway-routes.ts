import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { canonicalJson, sha256Hex } from '#base/hash.ts'
import type { GatewayRoute, ResourceId, VirtualGateway } from '#mesh/mesh.ts'
import type { GatewayListener } from '#mesh/proxy-spec.ts'
import type { GatewayRouteMatch, PathRewrite, Timeout } from '#mesh/route-spec.ts'
import { HeaderValueOption_HeaderAppendAction } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { RouteSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { handOverHeader, serviceAuthority } from '../handed-over.ts'
import { meshIndex } from '../mesh-index.ts'
import { gatewaySelfClusterName, ingressRoutesName, type Resources } from '../names.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { servicePorts, sourcesOf, type Upstream } from '../upstream.ts'
import { ingressAction } from './action.ts'
import { gatewayRouteMatch } from './match.ts'
import { longestTimeout } from './timeout.ts'

type RouteInit = MessageInitShape<typeof RouteSchema>

/** A gateway route with what it takes from the virtual service that it leads to. */
type Entry = {
	readonly route: GatewayRoute
	/** How the gateway's way out knows the virtual service. */
	readonly authority: string
	readonly timeout: Timeout | null
	readonly madeOf: readonly ResourceId[]
}

/**
 * What comes in on a gateway's port: every route of the gateway for it, in one virtual host, so that priorities hold over
 * all host names. They all lead to the gateway's own way out, where the virtual service's routes are.
 */
export function compileGatewayRoutes(
	resources: Resources,
	gateway: VirtualGateway,
	listener: GatewayListener,
): CompiledResource {
	const name = ingressRoutesName(listener.port)
	const cluster = gatewaySelfClusterName(gateway, listener)
	const routes = meshIndex(resources).gatewayRoutes.get(gateway.id) ?? []
	const entries = routes
		.filter(({ spec: { match } }) => match.port === null || match.port === listener.port)
		.map((route) => entryOf(resources, route))
		.filter((entry) => entry !== null)
	return compiledResource({
		typeUrl: typeUrls.route,
		name,
		key: sha256Hex([gateway.id, cluster, ...entries.map(entryKey)].join('\n')),
		schema: RouteConfigurationSchema,
		clusters: entries.length === 0 ? [] : [cluster],
		madeOf: [gateway.id, ...new Set(entries.flatMap(({ madeOf }) => madeOf))],
		make: () =>
			create(RouteConfigurationSchema, {
				name,
				virtualHosts: [
					{
						name: gateway.name,
						domains: ['*'],
						routes: entries.flatMap((entry) => envoyRoutes(entry, cluster)),
					},
				],
			}),
	})
}

function entryOf(resources: Resources, route: GatewayRoute): Entry | null {
	const { virtualService, port } = route.spec.target
	const service = resources[virtualService]
	if (service?.kind !== 'VirtualService') return null
	const ports = servicePorts(resources, service).filter((each) => port === null || each.port === port)
	const http = ports.filter(({ protocol }) => protocol !== 'tcp')
	return {
		route,
		authority: serviceAuthority(service, port),
		timeout: longestTimeout(http.flatMap(({ upstream }) => timeoutsOf(upstream))),
		madeOf: [route.id, service.id, ...http.flatMap(({ upstream }) => sourcesOf(service, upstream))],
	}
}

function timeoutsOf(upstream: Upstream): Timeout[] {
	return upstream.kind === 'node' ? [upstream.timeout] : upstream.routes.map(({ spec }) => spec.timeout)
}

function entryKey({ route, authority, timeout }: Entry): string {
	return `${route.hash} ${authority} ${canonicalJson(timeout)}`
}

/** App Mesh's pair: a prefix `/x` that is rewritten is `/x/` first and then `/x`, so that `/x/y` does not become `//y`. */
function envoyRoutes(entry: Entry, cluster: string): RouteInit[] {
	const { match, pathRewrite } = entry.route.spec
	const rewrite = rewriteText(pathRewrite)
	const path = match.kind === 'http' ? match.path : null
	const whole = envoyRoute(entry, cluster, { match, rewrite })
	if (match.kind !== 'http' || path?.kind !== 'prefix' || rewrite === null || path.prefix.endsWith('/')) return [whole]
	const below: GatewayRouteMatch = { ...match, path: { kind: 'prefix', prefix: `${path.prefix}/` } }
	const rewriteBelow = rewrite.endsWith('/') ? rewrite : `${rewrite}/`
	return [envoyRoute(entry, cluster, { match: below, rewrite: rewriteBelow }), whole]
}

/** Of an exact path or a regex, what Envoy calls the prefix is the whole path. */
function rewriteText(rewrite: PathRewrite): string | null {
	if (rewrite.kind === 'none') return null
	return rewrite.kind === 'prefix' ? rewrite.prefix : rewrite.path
}

function envoyRoute(
	{ route, authority, timeout }: Entry,
	cluster: string,
	{ match, rewrite }: { readonly match: GatewayRouteMatch; readonly rewrite: string | null },
): RouteInit {
	const action = { ...ingressAction(cluster, timeout), ...(rewrite === null ? {} : { prefixRewrite: rewrite }) }
	const common = {
		name: route.name,
		match: gatewayRouteMatch(match),
		metadata: sluiceMetadata('virtualService', route.spec.target.virtualService),
	}
	if (route.spec.hostRewrite === 'virtualService') {
		const hostRewriteSpecifier = { case: 'hostRewriteLiteral', value: authority } as const
		return {
			...common,
			action: { case: 'route', value: { ...action, hostRewriteSpecifier } },
			requestHeadersToRemove: [handOverHeader],
		}
	}
	const header = { key: handOverHeader, value: authority }
	const appendAction = HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
	return {
		...common,
		action: { case: 'route', value: action },
		requestHeadersToAdd: [{ header, appendAction }],
	}
}
