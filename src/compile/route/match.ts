import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { FrontMatch, GatewayRouteMatch, HeaderMatch, HttpMatch, PathMatch, RouteMatch } from '#mesh/route-spec.ts'
import type { RouteMatchSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { grpcPath } from './grpc-path.ts'
import { exactHeader, type HeaderMatcherInit, headerMatcher } from './header-match.ts'
import { hostnameMatcher } from './hostname-match.ts'
import { queryParameterMatcher } from './query-parameter-match.ts'

export type RouteMatchInit = MessageInitShape<typeof RouteMatchSchema>

/** What is matched request by request: of TCP nothing is. */
export type RequestMatch = Exclude<RouteMatch, { kind: 'tcp' }>

/** The port of a match is not here: it decides in which virtual host a route is. `more`: conditions beside its own. */
export function routeMatch(match: RequestMatch, more: readonly HeaderMatcherInit[]): RouteMatchInit {
	switch (match.kind) {
		case 'http': {
			const scheme = match.scheme === null ? [] : [exactHeader(':scheme', match.scheme)]
			return httpMatch(match, [...more, ...scheme])
		}
		case 'grpc':
			return grpcMatch(grpcPath(match.serviceName, match.methodName), match.metadata, more)
		default:
			return unreachable(match)
	}
}

/** What meets both; null: of what a match in front is for, the route takes nothing. */
export function narrowMatch(match: RequestMatch, front: FrontMatch): RequestMatch | null {
	if (match.kind === 'http' && front.kind === 'http') {
		const headers = [...match.headers, ...front.headers]
		return { ...match, headers, queryParameters: [...match.queryParameters, ...front.queryParameters] }
	}
	if (match.kind === 'grpc' && front.kind === 'grpc')
		return { ...match, metadata: [...match.metadata, ...front.metadata] }
	return null
}

/** The host name is a condition like the others, not a virtual host: priorities hold over all host names. */
export function gatewayRouteMatch(match: GatewayRouteMatch): RouteMatchInit {
	const hostname = match.hostname === null ? [] : [hostnameMatcher(match.hostname)]
	switch (match.kind) {
		case 'http':
			return httpMatch(match, hostname)
		case 'grpc':
			return grpcMatch(grpcPath(match.serviceName, null), match.metadata, hostname)
		default:
			return unreachable(match)
	}
}

type HttpConditions = Pick<HttpMatch, 'path' | 'method' | 'headers' | 'queryParameters'>

function httpMatch(conditions: HttpConditions, more: readonly HeaderMatcherInit[]): RouteMatchInit {
	const { path, method, headers, queryParameters } = conditions
	return {
		pathSpecifier: pathSpecifier(path),
		headers: [...(method === null ? [] : [exactHeader(':method', method)]), ...more, ...headers.map(headerMatcher)],
		queryParameters: queryParameters.map(queryParameterMatcher),
	}
}

/** `grpc`: the content type must be gRPC's. */
function grpcMatch(
	path: PathMatch,
	metadata: readonly HeaderMatch[],
	more: readonly HeaderMatcherInit[],
): RouteMatchInit {
	return { pathSpecifier: pathSpecifier(path), grpc: {}, headers: [...more, ...metadata.map(headerMatcher)] }
}

export const anyPath: PathMatch = { kind: 'prefix', prefix: '/' }

/** Envoy's regex takes the whole path, without the query. */
export function pathSpecifier(path: PathMatch): NonNullable<RouteMatchInit['pathSpecifier']> {
	switch (path.kind) {
		case 'prefix':
			return { case: 'prefix', value: path.prefix }
		case 'exact':
			return { case: 'path', value: path.path }
		case 'regex':
			return { case: 'safeRegex', value: { regex: path.regex } }
		default:
			return unreachable(path)
	}
}
