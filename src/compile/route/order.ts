import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import type { Route } from '#mesh/mesh.ts'
import type { PathMatch, RouteMatch } from '#mesh/route-spec.ts'

/**
 * The order in which a router's routes are tried; the first that matches takes the request. App Mesh: by priority, then
 * the longest path first. Where it leaves the order open, the match that says more comes first: an exact path before a
 * regex before a prefix, then the one with more conditions, then by name.
 */
export function inMatchOrder(left: Route, right: Route): number {
	return (
		left.spec.priority - right.spec.priority ||
		pathText(pathOf(right)).length - pathText(pathOf(left)).length ||
		pathRanks[pathOf(left).kind] - pathRanks[pathOf(right).kind] ||
		conditions(right.spec.match) - conditions(left.spec.match) ||
		compareText(left.name, right.name)
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

function pathOf({ spec: { match } }: Route): PathMatch {
	return match.kind === 'http' ? match.path : { kind: 'prefix', prefix: '/' }
}

function conditions(match: RouteMatch): number {
	if (match.kind !== 'http') return 0
	const { method, scheme, headers, port } = match
	return headers.length + [method, scheme, port].filter((condition) => condition !== null).length
}
