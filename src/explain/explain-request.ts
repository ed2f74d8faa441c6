// How a proxy treats one request, worked out on Envoy's own configuration: which listener takes it, which filter chain,
// virtual host and route, and what becomes of it; a gateway's request goes through its routes twice. It asks nobody, and
// runs nothing but RE2.
import { nearestName } from '#base/nearest-name.ts'
import { identityPath, type ProxyGroup, typeUrls } from '#compile/compiled.ts'
import type { RouteConfiguration } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { HttpConnectionManager } from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import type { TcpProxy } from '#proto/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts'
import { advise } from './advise.ts'
import { chooseChain } from './choose-chain.ts'
import type { Configuration } from './configuration.ts'
import { destinationsOf, isPassThrough } from './destinations.ts'
import { explainHop } from './explain-hop.ts'
import type { AskedRequest, Explained, Hop, Outcome } from './explained.ts'
import { type Entry, findEntry, findListenerAt, knownPorts } from './find-entry.ts'
import { forwardedRequest } from './forwarded-request.ts'
import { nearestMiss } from './nearest-miss.ts'
import { readChain } from './read-chain.ts'
import { type IncomingRequest, seenRequest, unknownOf } from './seen-request.ts'

/** A gateway's request goes through it twice; more would be a configuration that leads to itself. */
const mostHops = 2

type Way = {
	readonly configuration: Configuration
	readonly identity: ProxyGroup['identity']
	readonly envoyMinor: string
	readonly asked: AskedRequest
	readonly hops: Hop[]
	readonly notes: string[]
}

/** `envoyMinor` is the proxy's, e.g. `1.40`: versions differ in how they match. */
export function explainRequest(
	configuration: Configuration,
	{ identity, envoyMinor }: Pick<ProxyGroup, 'identity' | 'envoyMinor'>,
	asked: AskedRequest,
): Explained {
	const way: Way = { configuration, identity, envoyMinor, asked, hops: [], notes: [] }
	const outcome = enter(way)
	return {
		proxy: identityPath(identity),
		request: asked,
		hops: way.hops,
		outcome,
		advice: advise(outcome),
		notes: [...way.notes, ...gaps(outcome, configuration)],
	}
}

function enter(way: Way): Outcome {
	const { configuration, identity, asked } = way
	const { method, scheme, authority, path, headers } = asked
	const entry = findEntry(configuration, identity.kind, asked)
	if (entry === null) return noListener(way)
	if (entry.note !== null) way.notes.push(entry.note)
	return passListener(way, entry, { method, scheme, authority, path, headers })
}

function passListener(way: Way, entry: Entry, request: IncomingRequest): Outcome {
	const { asked } = way
	const { listener, port } = entry
	const tlsName = asked.scheme === 'https' && way.hops.length === 0 ? asked.host : null
	const chain = chooseChain(listener, { port, tlsName })
	if (chain === null) return closed(way, `no filter chain of ${listener.name} is for port ${port}`)
	const read = readChain(chain)
	switch (read.kind) {
		case 'nothing':
			return closed(way, `nothing answers for port ${port}: no route speaks for it`)
		case 'tcp':
			return throughTcp(way, port, read.proxy)
		case 'http':
			if (way.hops.length === 0 && entry.note === null) way.notes.push(...tlsNotes(asked, port, read.isTls))
			return throughRoutes(way, { ...entry, manager: read.manager, request })
	}
}

function throughTcp({ configuration }: Way, port: number, { clusterSpecifier }: TcpProxy): Outcome {
	if (clusterSpecifier.case === 'weightedClusters') {
		const destinations = destinationsOf(configuration, clusterSpecifier.value.clusters)
		return { kind: 'tcp', port, destinations }
	}
	const cluster = clusterSpecifier.value ?? ''
	if (isPassThrough(configuration, cluster)) return { kind: 'passedThrough', cluster }
	return { kind: 'tcp', port, destinations: destinationsOf(configuration, [{ name: cluster, weight: 1 }]) }
}

type Passing = Entry & { readonly manager: HttpConnectionManager; readonly request: IncomingRequest }

function throughRoutes(way: Way, { listener, port, manager, request }: Passing): Outcome {
	const { configuration } = way
	const routes = routesOf(configuration, manager)
	if (routes === null) return missingRoutes(way, manager)
	way.notes.push(...unknownOf(manager))
	const seen = seenRequest(request, manager, way.envoyMinor)
	if (!seen.ok) return { kind: 'refused', ...seen.error }
	const hop = explainHop({
		configuration,
		listener: listener.name,
		port,
		routes,
		request: seen.value,
		pathBefore: request.path,
	})
	way.hops.push(hop)
	return outcomeOf(way, hop, { request: { ...request, path: hop.path }, routes })
}

function outcomeOf(
	way: Way,
	hop: Hop,
	{ request, routes }: { readonly request: IncomingRequest; readonly routes: RouteConfiguration },
): Outcome {
	if (hop.virtualHost === null) return unknownHost(routes, hop.authority)
	if (hop.taken === null) return { kind: 'noRoute', status: 404, nearest: nearestMiss(hop.tried, hop.path) }
	const { action } = hop.taken
	switch (action.kind) {
		case 'respond':
			return { kind: 'responded', status: action.status }
		case 'unknown':
			return { kind: 'unknown', reason: `what the route does is nothing that explain knows: ${action.what}` }
		case 'forward': {
			const next = way.hops.length < mostHops ? nextListener(way.configuration, action.destinations[0]?.cluster) : null
			if (next === null) return { kind: 'forwarded', destinations: action.destinations }
			return passListener(way, next, forwardedRequest(request, action))
		}
	}
}

/** The proxy's own listener that a cluster leads to: a gateway's way in sends to its way out. */
function nextListener(configuration: Configuration, cluster: string | undefined): Entry | null {
	if (cluster === undefined) return null
	const [locality] = configuration.cluster(cluster)?.loadAssignment?.endpoints ?? []
	const host = locality?.lbEndpoints[0]?.hostIdentifier
	return host?.case === 'endpoint' ? findListenerAt(configuration, host.value.address) : null
}

function routesOf({ routes }: Configuration, { routeSpecifier }: HttpConnectionManager): RouteConfiguration | null {
	switch (routeSpecifier.case) {
		case 'rds':
			return routes(routeSpecifier.value.routeConfigName)
		case 'routeConfig':
			return routeSpecifier.value
		default:
			return null
	}
}

function unknownHost({ virtualHosts }: RouteConfiguration, authority: string): Outcome {
	const known = virtualHosts.flatMap(({ domains }) => domains)
	return { kind: 'unknownHost', status: 404, known, nearest: nearestName(authority, known) }
}

function missingRoutes({ configuration }: Way, { routeSpecifier }: HttpConnectionManager): Outcome {
	const name = routeSpecifier.case === 'rds' ? routeSpecifier.value.routeConfigName : ''
	const isUnseen = configuration.unseen.some((each) => each.typeUrl === typeUrls.route && each.name === name)
	if (isUnseen) return { kind: 'unknown', reason: unseenText(`the routes ${name}`) }
	return {
		kind: 'closed',
		reason: `the listener waits for its routes ${name}, which the proxy does not have`,
		ports: [],
	}
}

function noListener(way: Way): Outcome {
	const { configuration, identity, asked } = way
	const unseen = configuration.unseen.find(({ typeUrl }) => typeUrl === typeUrls.listener)
	if (unseen !== undefined) return { kind: 'unknown', reason: unseenText(`the listener ${unseen.name}`) }
	const what =
		identity.kind === 'virtualNode'
			? 'the proxy has no way out: its virtual node has no backend that leads anywhere'
			: `the gateway does not listen on port ${asked.port}`
	return closed(way, what)
}

function unseenText(what: string): string {
	return `the proxy holds ${what}, but of an earlier run of the daemon, which does not know what is in it`
}

function closed({ configuration, identity }: Way, reason: string): Outcome {
	return { kind: 'closed', reason, ports: knownPorts(configuration, identity.kind) }
}

function tlsNotes({ scheme }: AskedRequest, port: number, isTls: boolean): string[] {
	if (isTls && scheme === 'http') return [`port ${port} wants TLS: a client that sends plain HTTP is not understood`]
	if (!isTls && scheme === 'https')
		return [`port ${port} takes plain HTTP: a client that begins with TLS is not understood`]
	return []
}

/** Destinations whose cluster the proxy does not have: Envoy answers their share by itself. */
function gaps(outcome: Outcome, configuration: Configuration): string[] {
	if (outcome.kind !== 'forwarded') return []
	const isUnseen = (name: string) => configuration.unseen.some((each) => each.name === name)
	return outcome.destinations
		.filter(({ cluster, sharePpm }) => sharePpm > 0 && configuration.cluster(cluster) === null && !isUnseen(cluster))
		.map(({ cluster }) => `the proxy has no cluster ${cluster}: its share is answered with 503`)
}
