import type { Route, VirtualHost } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { RouteConfiguration } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { chooseHost, type HostChoice } from './choose-host.ts'
import type { Configuration } from './configuration.ts'
import { madeFor } from './destinations.ts'
import type { Hop, RouteReference, TriedRoute } from './explained.ts'
import type { Judged } from './match/judged.ts'
import { pathPatternOf } from './match/path-match.ts'
import { judgeRoute } from './match/route-match.ts'
import { readAction } from './read-action.ts'
import type { SeenRequest } from './seen-request.ts'

export type HopOptions = {
	readonly configuration: Configuration
	readonly listener: string
	readonly port: number
	readonly routes: RouteConfiguration
	readonly request: SeenRequest
	/** Before it was made plain. */
	readonly pathBefore: string
}

/** How the routes of one connection manager take a request: its virtual host, then the first route that it meets. */
export function explainHop({ configuration, listener, port, routes, request, pathBefore }: HopOptions): Hop {
	const { authority, path } = request
	const chosen = chooseHost(routes, authority)
	const { tried, taken } = tryRoutes(chosen?.host.routes ?? [], request)
	return {
		listener,
		port,
		routes: routes.name,
		authority,
		path,
		pathBefore: pathBefore === path ? null : pathBefore,
		virtualHost: chosen === null ? null : describeHost(chosen),
		tried,
		taken:
			chosen === null || taken === null
				? null
				: {
						...reference(taken.route),
						conditions: taken.judged.map(plain),
						action: readAction(taken.route, { configuration, routes, host: chosen.host, request }),
					},
	}
}

type Taken = { readonly route: Route; readonly judged: readonly Judged[] }

function tryRoutes(routes: VirtualHost['routes'], request: SeenRequest) {
	const tried: TriedRoute[] = []
	for (const route of routes) {
		const judged = judgeRoute(route.match, request)
		const failed = judged.filter(({ met }) => !met)
		if (failed.length === 0) return { tried, taken: { route, judged } satisfies Taken }
		tried.push({ ...reference(route), failed: failed.map(plain), pathPattern: pathPatternOf(route.match) })
	}
	return { tried, taken: null }
}

function plain({ name, wanted, found }: Judged) {
	return { name, wanted, found }
}

/** Of the mesh it is found later, where the mesh is known. */
function reference({ name, metadata }: Route): RouteReference {
	const [virtualService, frontOf] = [madeFor(metadata, 'virtualService'), madeFor(metadata, 'frontOf')]
	return { name, virtualService, frontOf, resource: null, place: null }
}

function describeHost({ host, domain }: HostChoice) {
	return { name: host.name, domain, virtualService: madeFor(host.metadata, 'virtualService') }
}
