import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import type { Route } from '#mesh/mesh.ts'
import type { GatewayRouteMatch, PathMatch, RouteMatch } from '#mesh/route-spec.ts'
import { grpcPath } from './grpc-path.ts'

/**
 * The order in which a router's routes are tried; the first that matches takes the request. App Mesh: by priority, then
 * the longest path first. Where it leaves the order open, the match that says more comes first: an exact path before a
 * regex before a prefix, then the one with more conditions, then by name. A gRPC service and method are a path too.
 */
export function inMatchOrder(left: Route, right: Route): number {
	return (
		left.spec.priority - right.spec.priority ||
		compareMatches(left.spec.match, right.spec.match) ||
		compareText(left.name, right.name)
	)
}

type Match = RouteMatch | GatewayRouteMatch

/** Negative: `left` says more, and is tried first. */
export function compareMatches(left: Match, right: Match): number {
	const [leftPath, rightPath] = [pathOf(left), pathOf(right)]
	return (
		pathText(rightPath).length - pathText(leftPath).length ||
		pathRanks[leftPath.kind] - pathRanks[rightPath.kind] ||
		conditions(right) - conditions(left)
	)
}

const pathRanks = { exact: 0, regex: 1, prefix: 2 } as const

function pathText(path: PathMatch): string {
	switch (path.kind) {
		case 'prefix':
			return path.prefix
		case 'exact':
			return path.path
		case 'regex':
			return path.regex
		default:
			return unreachable(path)
	}
}

function pathOf(match: Match): PathMatch {
	switch (match.kind) {
		case 'http':
			return match.path
		case 'grpc':
			return grpcPath(match.serviceName, 'methodName' in match ? match.methodName : null)
		case 'tcp':
			return { kind: 'prefix', prefix: '/' }
		default:
			return unreachable(match)
	}
}

function conditions(match: Match): number {
	const port = match.port === null ? 0 : 1
	switch (match.kind) {
		case 'http': {
			const scheme = 'scheme' in match ? match.scheme : null
			const written = [match.method, scheme].filter((condition) => condition !== null).length
			return match.headers.length + match.queryParameters.length + written + port
		}
		case 'grpc':
			return match.metadata.length + port
		case 'tcp':
			return port
		default:
			return unreachable(match)
	}
}
