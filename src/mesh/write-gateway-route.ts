import { noPriority, routeNames } from './kind/route.ts'
import { lastName } from './link-finding.ts'
import type { GatewayRouteMatch, GatewayRouteSpec } from './route-spec.ts'
import { type Written, writeMembers, writeUnlessEmpty } from './write-members.ts'
import { writeHeaders, writePath, writeQueryParameters } from './write-route.ts'

/** The `spec` of a gateway route, under the type that its protocol asks for. */
export function writeGatewayRouteSpec(spec: GatewayRouteSpec): Written {
	const { priority, protocol, match, target, hostRewrite } = spec
	const rewrite = writeUnlessEmpty({
		hostname: hostRewrite === 'none' ? { defaultTargetHostname: 'DISABLED' } : null,
		...writePathRewrite(spec),
	})
	return writeMembers({
		priority: priority === noPriority ? null : priority,
		[routeNames[protocol]]: {
			match: writeMatch(match),
			action: writeMembers({
				target: writeMembers({
					virtualService: { virtualServiceName: lastName(target.virtualService) },
					port: target.port,
				}),
				rewrite,
			}),
		},
	})
}

function writeMatch(match: GatewayRouteMatch): Written {
	const hostname = match.hostname === null ? null : { [match.hostname.kind]: match.hostname.value }
	const { port } = match
	if (match.kind === 'grpc') {
		return writeMembers({ serviceName: match.serviceName, hostname, metadata: writeHeaders(match.metadata), port })
	}
	const { path, method, headers, queryParameters } = match
	return writeMembers({
		...writePath(path),
		hostname,
		method,
		headers: writeHeaders(headers),
		queryParameters: writeQueryParameters(queryParameters),
		port,
	})
}

/** App Mesh rewrites a matched prefix unless it is told not to. */
function writePathRewrite({ match, pathRewrite }: GatewayRouteSpec): Written {
	switch (pathRewrite.kind) {
		case 'prefix':
			return { prefix: { value: pathRewrite.prefix } }
		case 'path':
			return { path: { exact: pathRewrite.path } }
		default: {
			const rewritten = match.kind === 'http' && match.path.kind === 'prefix' && match.path.prefix !== '/'
			return rewritten ? { prefix: { defaultPrefix: 'DISABLED' } } : {}
		}
	}
}
