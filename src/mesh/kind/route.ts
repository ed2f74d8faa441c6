// A route alone cannot be read: its protocol is its router's, and a target's port may be the node's only one. So routes
// are read last, with the nodes and routers of the revision at hand. What is not there is reported by link.ts.
import { unreachable } from '#base/assert.ts'
import { type Declared, listenersOf, onPort } from '../declared.ts'
import { errorAt, type Finding, type Path, pathToText, warningAt } from '../finding.ts'
import type {
	RouteGrpcMatch,
	RouteGrpcRoute,
	RouteMatch as RouteHttpMatch,
	RouteHttpRoute,
	RouteManifest,
	RouteTcpRoute,
} from '../manifest.generated.ts'
import { resourceId } from '../mesh.ts'
import type { Protocol, RouteMatch, RouteSpec } from '../route-spec.ts'
import { type SettledProtocol, settleProtocol } from '../settle-protocol.ts'
import { checkHeaders, readHeaders, readQueryParameters } from './header-match.ts'
import { checkPath, readPath } from './path-match.ts'
import { checkRetryPolicy, readRetryPolicy } from './retry-policy.ts'
import { readTimeout } from './timeout.ts'
import { checkTargets, readTargets } from './weighted-targets.ts'

/** App Mesh's rank of a route without a priority: behind all that have one (0 to 1000). */
export const noPriority = 1001

/** The one of the four types of route that is written, with what is in it. */
export type WrittenRoute =
	| { readonly name: 'httpRoute' | 'http2Route'; readonly body: RouteHttpRoute }
	| { readonly name: 'grpcRoute'; readonly body: RouteGrpcRoute }
	| { readonly name: 'tcpRoute'; readonly body: RouteTcpRoute }

export function writtenRoute({ spec }: RouteManifest): WrittenRoute {
	if (spec.http2Route !== undefined) return { name: 'http2Route', body: spec.http2Route }
	if (spec.grpcRoute !== undefined) return { name: 'grpcRoute', body: spec.grpcRoute }
	if (spec.tcpRoute !== undefined) return { name: 'tcpRoute', body: spec.tcpRoute }
	return { name: 'httpRoute', body: spec.httpRoute as RouteHttpRoute }
}

/** What a type of route is for. */
export const routeProtocols = { httpRoute: 'http', http2Route: 'http2', grpcRoute: 'grpc', tcpRoute: 'tcp' } as const
export const routeNames = { http: 'httpRoute', http2: 'http2Route', grpc: 'grpcRoute', tcp: 'tcpRoute' } as const

export function readRouteSpec(manifest: RouteManifest, declared: Declared): RouteSpec {
	const { mesh, virtualRouter } = manifest.metadata
	const route = writtenRoute(manifest)
	return {
		virtualRouter: resourceId.virtualRouter(mesh, virtualRouter),
		priority: manifest.spec.priority ?? noPriority,
		protocol: settledProtocol(manifest, declared).protocol,
		match: readMatch(route),
		targets: readTargets({ mesh, targets: route.body.action.weightedTargets }, declared),
		retryPolicy: route.name === 'tcpRoute' ? null : readRetryPolicy(route.body.retryPolicy),
		timeout: readTimeout(route.body.timeout),
	}
}

function settledProtocol(manifest: RouteManifest, declared: Declared): SettledProtocol {
	const { mesh, virtualRouter } = manifest.metadata
	const { name, body } = writtenRoute(manifest)
	const listeners = listenersOf(declared, resourceId.virtualRouter(mesh, virtualRouter))
	return settleProtocol(routeProtocols[name], onPort(listeners, body.match?.port ?? null))
}

function readMatch(route: WrittenRoute): RouteMatch {
	switch (route.name) {
		case 'httpRoute':
		case 'http2Route': {
			const { match } = route.body
			return {
				kind: 'http',
				path: readPath(match),
				method: match.method ?? null,
				scheme: match.scheme ?? null,
				headers: readHeaders(match.headers),
				queryParameters: readQueryParameters(match.queryParameters),
				port: match.port ?? null,
			}
		}
		case 'grpcRoute': {
			const { serviceName = null, methodName = null, metadata, port = null } = route.body.match
			return { kind: 'grpc', serviceName, methodName, metadata: readHeaders(metadata), port }
		}
		case 'tcpRoute':
			return { kind: 'tcp', port: route.body.match?.port ?? null }
		default:
			return unreachable(route)
	}
}

/** What no link says: a route that cannot work on its router at all is found there. */
export function checkRoute(manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const route = writtenRoute(manifest)
	const at: Path = ['spec', route.name]
	const targets = { mesh: manifest.metadata.mesh, targets: route.body.action.weightedTargets }
	return [
		...checkProtocol(manifest, declared),
		...checkPort(manifest, declared),
		...checkMatch([...at, 'match'], route, settledProtocol(manifest, declared).protocol),
		...checkTargets([...at, 'action', 'weightedTargets'], targets, declared),
		...(route.name === 'tcpRoute' ? [] : checkRetryPolicy([...at, 'retryPolicy'], route.body.retryPolicy)),
	]
}

function checkProtocol(manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const { name } = writtenRoute(manifest)
	const { virtualRouter } = manifest.metadata
	const settled = settledProtocol(manifest, declared)
	if (settled.kind !== 'bridged') return []
	const { listener, protocol } = settled
	const readAs = routeNames[protocol]
	if (name !== 'grpcRoute' && listener !== 'grpc') {
		const message = `the router ${virtualRouter} speaks ${listener}, so this ${name} is read as an ${readAs}`
		return [{ ...warningAt(['spec', name], 'SL0307', message, `write ${readAs}`), at: 'key' }]
	}
	const how = name === 'grpcRoute' ? 'takes the gRPC requests among them' : `is read as an ${readAs}`
	const message = `the router ${virtualRouter} speaks ${listener}, so this ${name} ${how}`
	const hint = `write ${routeNames[listener]}, or give the router a listener for ${routeProtocols[name]}`
	return [{ ...warningAt(['spec', name], 'SL0312', message, hint), at: 'key' }]
}

function checkPort(manifest: RouteManifest, declared: Declared): readonly Finding[] {
	const { mesh, virtualRouter } = manifest.metadata
	const { name, body } = writtenRoute(manifest)
	const port = body.match?.port ?? null
	const listeners = listenersOf(declared, resourceId.virtualRouter(mesh, virtualRouter))
	if (port === null || listeners.length === 0 || onPort(listeners, port).length > 0) return []
	const message = `the router ${virtualRouter} does not listen on port ${port}: the route takes no request`
	const hint = `it listens on ${listeners.map((listener) => listener.port).join(', ')}`
	return [warningAt(['spec', name, 'match', 'port'], 'SL0308', message, hint)]
}

function checkMatch(at: Path, route: WrittenRoute, protocol: Protocol): readonly Finding[] {
	switch (route.name) {
		case 'httpRoute':
		case 'http2Route':
			return checkHttpMatch(at, route.body.match, protocol)
		case 'grpcRoute':
			return [...checkMethod(at, route.body.match), ...checkHeaders([...at, 'metadata'], route.body.match.metadata)]
		case 'tcpRoute':
			return []
		default:
			return unreachable(route)
	}
}

function checkHttpMatch(at: Path, match: RouteHttpMatch, protocol: Protocol): readonly Finding[] {
	const findings = [...checkPath(at, match), ...checkHeaders([...at, 'headers'], match.headers)]
	if (match.scheme === undefined || protocol === 'http2') return findings
	const message = `App Mesh knows a scheme on http2 routes only; here it is matched too, and is http unless the caller says so`
	return [...findings, warningAt([...at, 'scheme'], 'SL0240', message)]
}

function checkMethod(at: Path, { serviceName, methodName }: RouteGrpcMatch): readonly Finding[] {
	if (methodName === undefined || serviceName !== undefined) return []
	const message = `${pathToText(at)} has a methodName and no field "serviceName", which it must have then`
	return [errorAt([...at, 'methodName'], 'SL0205', message)]
}
