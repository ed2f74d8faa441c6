import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { assert, unreachable } from '#base/assert.ts'
import { sha256Hex } from '#base/hash.ts'
import type { RouteSchema, VirtualHostSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Caller } from '../caller-of.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import type { EgressTable } from '../egress-table.ts'
import { handOverHeader } from '../handed-over.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { sourcesOf } from '../upstream.ts'
import { egressAction } from './action.ts'
import { escapeRegex } from './escape-regex.ts'
import { exactHeader, type HeaderMatcherInit } from './header-match.ts'
import { anyPath, narrowMatch, pathSpecifier, type RequestMatch, routeMatch } from './match.ts'
import { type WeighedHost, type WeighedRoute, weighedHostKey, weighHost } from './weighed-host.ts'
import type { ClusterWeight } from './weights.ts'

type RouteInit = MessageInitShape<typeof RouteSchema>
type VirtualHostInit = MessageInitShape<typeof VirtualHostSchema>

/** A host that is meant when App Mesh's header says `value`, whatever host the request names. */
type HandedHost = { readonly value: string; readonly alsoAt: readonly string[]; readonly weighed: WeighedHost }

/**
 * One route configuration of what a proxy may call. `validate_clusters` stays off: the snapshot's own check finds names
 * that lead nowhere, and one cluster that a proxy refused must not make it refuse everybody's way back.
 */
export function compileEgressRoutes(effective: EffectiveMesh, caller: Caller, table: EgressTable): CompiledResource {
	const hosts = table.hosts.map((host) => weighHost(effective, host))
	const handed = table.handedOver.map(({ host, ...more }) => ({ ...more, weighed: weighHost(effective, host) }))
	return compiledResource({
		typeUrl: typeUrls.route,
		name: table.name,
		key: sha256Hex([...hosts.map(weighedHostKey), ...handed.map(handedHostKey)].join('\n')),
		schema: RouteConfigurationSchema,
		clusters: hosts.flatMap(({ routes }) => routes.flatMap(clustersOf)),
		madeOf: [caller.id, ...new Set(table.hosts.flatMap(({ service, upstream }) => sourcesOf(service, upstream)))],
		make: () =>
			create(RouteConfigurationSchema, {
				name: table.name,
				virtualHosts: [...hosts.map((weighed) => virtualHost(weighed, handed)), ...handedOverHost(handed)],
				// Of every host: a request that is handed over may name one of them itself.
				requestHeadersToRemove: handed.length === 0 ? [] : [handOverHeader],
			}),
	})
}

function clustersOf(route: WeighedRoute): string[] {
	const beside = route.kind === 'node' ? [] : [...(route.front?.weights ?? []), ...route.mirrors]
	return [...beside, ...route.weights].map(({ cluster }) => cluster)
}

/** Which host it is and what it is made of is in the table's own hosts. */
function handedHostKey({ value, alsoAt }: HandedHost): string {
	return ['handed over', value, ...alsoAt].join(' ')
}

function virtualHost(weighed: WeighedHost, handed: readonly HandedHost[]): VirtualHostInit {
	const { host, routes } = weighed
	const conditions = handed.length === 0 ? [] : [notForOthers(weighed)]
	return {
		name: host.name,
		domains: [...host.domains],
		routes: [
			...handed.filter(({ alsoAt }) => alsoAt.includes(host.name)).flatMap(handedRoutes),
			...routes.flatMap((route) => envoyRoutes(route, conditions)),
		],
		metadata: sluiceMetadata('virtualService', host.service.id),
	}
}

/**
 * The host of a request that is handed over was written by a client. Where it names a virtual service, the header must
 * name the same, or a client could choose another one than the gateway's route did.
 */
function notForOthers({ host }: WeighedHost): HeaderMatcherInit {
	const regex = `(${host.domains.map(escapeRegex).join('|')})?`
	const matchPattern = { case: 'safeRegex', value: { regex } } as const
	return {
		name: handOverHeader,
		treatMissingHeaderAsEmpty: true,
		headerMatchSpecifier: { case: 'stringMatch', value: { matchPattern } },
	}
}

/** App Mesh's virtual host for requests that came in by a gateway and keep the host that they came with. */
function handedOverHost(handed: readonly HandedHost[]): VirtualHostInit[] {
	if (handed.length === 0) return []
	return [{ name: 'default_backend', domains: ['*'], routes: handed.flatMap(handedRoutes) }]
}

function handedRoutes({ value, weighed }: HandedHost): RouteInit[] {
	return weighed.routes.flatMap((route) => envoyRoutes(route, [exactHeader(handOverHeader, value)]))
}

/** What is in front comes first, with all else like its route. `conditions`: what must hold beside the route's own match. */
function envoyRoutes(weighed: WeighedRoute, conditions: readonly HeaderMatcherInit[]): RouteInit[] {
	switch (weighed.kind) {
		case 'node': {
			const value = egressAction(weighed.weights, {
				timeout: weighed.timeout,
				retryPolicy: null,
				mirrors: [],
				sticky: null,
			})
			const match = { pathSpecifier: pathSpecifier(anyPath), headers: [...conditions] }
			return [{ match, action: { case: 'route', value } }]
		}
		case 'route': {
			const { route, weights, sticky, front, mirrors } = weighed
			const { match, timeout, retryPolicy } = route.spec
			assert(match.kind !== 'tcp', 'a host is made of routes for requests')
			const leadTo = (
				to: readonly ClusterWeight[],
				taken: RequestMatch,
				drawn: Pick<typeof weighed, 'mirrors' | 'sticky'>,
			): RouteInit => ({
				name: route.name,
				match: routeMatch(taken, conditions),
				action: { case: 'route', value: egressAction(to, { timeout, retryPolicy, ...drawn }) },
			})
			const inFront = (front?.matches ?? []).flatMap((more): RouteInit[] => {
				const taken = narrowMatch(match, more)
				if (front === null || taken === null) return []
				return [
					{
						...leadTo(front.weights, taken, { mirrors: [], sticky: null }),
						metadata: sluiceMetadata('frontOf', route.id),
					},
				]
			})
			return [...inFront, leadTo(weights, match, { mirrors, sticky })]
		}
		default:
			return unreachable(weighed)
	}
}
