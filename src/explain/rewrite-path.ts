import type { RouteAction, RouteMatch } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { splitQuery } from './plain-path.ts'

/** The path that is sent on, its query kept; null when the route leaves it as it is. */
export function rewritePath(match: RouteMatch | undefined, action: RouteAction, seenPath: string): string | null {
	if (action.prefixRewrite === '') return null
	const { path, query } = splitQuery(seenPath)
	return action.prefixRewrite + path.slice(matchedLength(match, path)) + query
}

/** Of an exact path or a regex, what Envoy calls the prefix is the whole path. */
function matchedLength(match: RouteMatch | undefined, path: string): number {
	switch (match?.pathSpecifier.case) {
		case 'prefix':
		case 'pathSeparatedPrefix':
			return match.pathSpecifier.value.length
		default:
			return path.length
	}
}
