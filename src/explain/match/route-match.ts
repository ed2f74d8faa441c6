import type { RouteMatch } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { SeenRequest } from '../seen-request.ts'
import { judgeHeader } from './header-match.ts'
import type { Judged } from './judged.ts'
import { judgePath } from './path-match.ts'
import { judgeQueryParameter } from './query-match.ts'

/** Every condition of a route, the path's first; a request takes the route when all are met. */
export function judgeRoute(match: RouteMatch | undefined, request: SeenRequest): readonly Judged[] {
	if (match === undefined) return [unknown('a match')]
	if (request.method === 'CONNECT') return [judgeConnect(match)]
	return [
		judgePath(match, request.path),
		...(match.grpc === undefined ? [] : [judgeGrpc(request)]),
		...match.headers.map((matcher) => judgeHeader(matcher, request)),
		...match.queryParameters.map((matcher) => judgeQueryParameter(matcher, request.path)),
		...unknownConditions(match),
	]
}

/** A CONNECT has no path, so it meets no route that asks for one, not even `/`. */
function judgeConnect({ pathSpecifier }: RouteMatch): Judged {
	const isForIt = pathSpecifier.case === 'connectMatcher'
	return {
		name: 'path',
		wanted: isForIt ? 'that of a CONNECT' : 'one, which a CONNECT does not have',
		found: null,
		met: isForIt,
	}
}

/** `application/grpc`, or that with a `+` and a format: `application/grpc-web` is something else. */
function judgeGrpc(request: SeenRequest): Judged {
	const [found = null] = request.values('content-type')
	const met = found === 'application/grpc' || found?.startsWith('application/grpc+') === true
	return {
		name: 'header content-type',
		wanted: 'exactly "application/grpc", or that and a format after a +',
		found,
		met,
	}
}

function unknownConditions({ runtimeFraction, tlsContext, dynamicMetadata }: RouteMatch): Judged[] {
	return [
		...(runtimeFraction === undefined ? [] : [unknown('a share of the requests')]),
		...(tlsContext === undefined ? [] : [unknown("the client's certificate")]),
		...(dynamicMetadata.length === 0 ? [] : [unknown('dynamic metadata')]),
	]
}

/** Sluice writes none of these; a proxy that holds one holds it from somewhere else. */
function unknown(name: string): Judged {
	return { name, wanted: 'something that explain does not know', found: null, met: false }
}
