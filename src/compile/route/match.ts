import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { HttpMatch, PathMatch } from '#mesh/route-spec.ts'
import type { RouteMatchSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { exactHeader, headerMatcher } from './header-match.ts'

type RouteMatchInit = MessageInitShape<typeof RouteMatchSchema>

/** The port of a match is not here: it decides in which virtual host a route is. */
export function routeMatch({ path, method, scheme, headers }: HttpMatch): RouteMatchInit {
	return {
		pathSpecifier: pathSpecifier(path),
		headers: [
			...(method === null ? [] : [exactHeader(':method', method)]),
			...(scheme === null ? [] : [exactHeader(':scheme', scheme)]),
			...headers.map(headerMatcher),
		],
	}
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
