// Which requests to a virtual gateway go to which virtual service. Read last, like a route: its protocol is that of the
// gateway's listeners.
import { type Declared, listenersOf, onPort } from '../declared.ts'
import { errorAt, type Finding, type Path, warningAt } from '../finding.ts'
import type {
	GatewayRouteGrpcRoute,
	GatewayRouteHostname,
	GatewayRouteHttpRoute,
	GatewayRouteManifest,
} from '../manifest.generated.ts'
import { resourceId } from '../mesh.ts'
import type { GatewayRouteMatch, GatewayRouteSpec, HostnameMatch, HttpProtocol } from '../route-spec.ts'
import { type SettledProtocol, settleProtocol } from '../settle-protocol.ts'
import { checkPathRewrite, readHostRewrite, readPathRewrite } from './gateway-rewrite.ts'
import { checkHeaders, readHeaders, readQueryParameters } from './header-match.ts'
import { checkPath, readPath } from './path-match.ts'
import { noPriority, routeNames, routeProtocols } from './route.ts'

/** The one of the three types of gateway route that is written, with what is in it. */
export type WrittenGatewayRoute =
	| { readonly name: 'httpRoute' | 'http2Route'; readonly body: GatewayRouteHttpRoute }
	| { readonly name: 'grpcRoute'; readonly body: GatewayRouteGrpcRoute }

export function writtenGatewayRoute({ spec }: GatewayRouteManifest): WrittenGatewayRoute {
	if (spec.http2Route !== undefined) return { name: 'http2Route', body: spec.http2Route }
	if (spec.grpcRoute !== undefined) return { name: 'grpcRoute', body: spec.grpcRoute }
	return { name: 'httpRoute', body: spec.httpRoute as GatewayRouteHttpRoute }
}

export function readGatewayRouteSpec(manifest: GatewayRouteManifest, declared: Declared): GatewayRouteSpec {
	const { mesh, virtualGateway } = manifest.metadata
	const route = writtenGatewayRoute(manifest)
	const { target, rewrite } = route.body.action
	return {
		virtualGateway: resourceId.virtualGateway(mesh, virtualGateway),
		priority: manifest.spec.priority ?? noPriority,
		// What a gateway's listeners speak is never tcp, and so neither is what a route on them is read as.
		protocol: settledProtocol(manifest, declared).protocol as HttpProtocol,
		match: readMatch(route),
		target: {
			virtualService: resourceId.virtualService(mesh, target.virtualService.virtualServiceName),
			port: target.port ?? null,
		},
		hostRewrite: readHostRewrite(rewrite),
		pathRewrite:
			route.name === 'grpcRoute'
				? { kind: 'none' }
				: readPathRewrite(readPath(route.body.match), route.body.action.rewrite),
	}
}

function settledProtocol(manifest: GatewayRouteManifest, declared: Declared): SettledProtocol {
	const { mesh, virtualGateway } = manifest.metadata
	const { name, body } = writtenGatewayRoute(manifest)
	const listeners = listenersOf(declared, resourceId.virtualGateway(mesh, virtualGateway))
	return settleProtocol(routeProtocols[name], onPort(listeners, body.match.port ?? null))
}

function readMatch(route: WrittenGatewayRoute): GatewayRouteMatch {
	const common = { hostname: readHostname(route.body.match.hostname), port: route.body.match.port ?? null }
	if (route.name === 'grpcRoute') {
		const { serviceName = null, metadata } = route.body.match
		return { kind: 'grpc', serviceName, metadata: readHeaders(metadata), ...common }
	}
	const { match } = route.body
	return {
		kind: 'http',
		path: readPath(match),
		method: match.method ?? null,
		headers: readHeaders(match.headers),
		queryParameters: readQueryParameters(match.queryParameters),
		...common,
	}
}

/** `*.example.com` is meant as the suffix `.example.com`, and a trailing dot as none. */
function readHostname(hostname: GatewayRouteHostname | undefined): HostnameMatch | null {
	const kind = hostname?.exact === undefined ? 'suffix' : 'exact'
	const written = hostname?.[kind]
	if (written === undefined) return null
	return {
		kind,
		value: written
			.replace(/^\*/, '')
			.replace(/(?<=.)\.$/, '')
			.toLowerCase(),
	}
}

export function checkGatewayRoute(manifest: GatewayRouteManifest, declared: Declared): readonly Finding[] {
	const { name } = writtenGatewayRoute(manifest)
	return [
		...checkProtocol(manifest, declared),
		...checkPort(manifest, declared),
		...checkMatch(['spec', name, 'match'], writtenGatewayRoute(manifest)),
		...checkRewrite(['spec', name, 'action', 'rewrite'], writtenGatewayRoute(manifest)),
	]
}

function checkProtocol(manifest: GatewayRouteManifest, declared: Declared): readonly Finding[] {
	const { name } = writtenGatewayRoute(manifest)
	const settled = settledProtocol(manifest, declared)
	if (settled.kind !== 'bridged') return []
	const { listener, protocol } = settled
	const { virtualGateway } = manifest.metadata
	const how = name === 'grpcRoute' ? 'takes the gRPC requests among them' : `is read as an ${routeNames[protocol]}`
	const message = `the gateway ${virtualGateway} speaks ${listener}, so this ${name} ${how}`
	const hint = `write ${routeNames[listener]}, or give the gateway a listener for ${routeProtocols[name]}`
	return [{ ...warningAt(['spec', name], 'SL0316', message, hint), at: 'key' }]
}

function checkPort(manifest: GatewayRouteManifest, declared: Declared): readonly Finding[] {
	const { mesh, virtualGateway } = manifest.metadata
	const { name, body } = writtenGatewayRoute(manifest)
	const port = body.match.port ?? null
	const listeners = listenersOf(declared, resourceId.virtualGateway(mesh, virtualGateway))
	if (port === null || listeners.length === 0 || onPort(listeners, port).length > 0) return []
	const message = `the gateway ${virtualGateway} does not listen on port ${port}: the gateway route takes no request`
	const hint = `it listens on ${listeners.map((listener) => listener.port).join(', ')}`
	return [warningAt(['spec', name, 'match', 'port'], 'SL0318', message, hint)]
}

function checkMatch(at: Path, route: WrittenGatewayRoute): readonly Finding[] {
	if (route.name === 'grpcRoute') {
		const { serviceName, metadata } = route.body.match
		return [
			...checkReserved([...at, 'serviceName'], reservedServices, serviceName),
			...checkHeaders([...at, 'metadata'], metadata),
		]
	}
	const { match } = route.body
	return [
		...checkPath(at, match),
		...checkReserved([...at, 'prefix'], reservedPaths, match.prefix),
		...checkReserved([...at, 'path', 'exact'], reservedPaths, match.path?.exact),
		...checkHeaders([...at, 'headers'], match.headers),
	]
}

const reservedPaths: readonly string[] = ['/aws-appmesh', '/aws-app-mesh']
const reservedServices: readonly string[] = ['aws.appmesh', 'aws.app-mesh']

function checkReserved(at: Path, reserved: readonly string[], written: string | undefined): readonly Finding[] {
	const start = reserved.find((name) => written?.startsWith(name) === true)
	if (start === undefined) return []
	return [errorAt(at, 'SL0242', `what begins with ${start} is reserved: App Mesh refuses it in a gateway route`)]
}

function checkRewrite(at: Path, route: WrittenGatewayRoute): readonly Finding[] {
	return route.name === 'grpcRoute' ? [] : checkPathRewrite(at, route.body.match, route.body.action.rewrite)
}
