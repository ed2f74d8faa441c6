import type { Duration } from '@bufbuild/protobuf/wkt'
import { wholePpm } from '#plan/plan.ts'
import type { HeaderValueOption } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type {
	RouteAction as EnvoyAction,
	RetryPolicy,
	Route,
	RouteAction_RequestMirrorPolicy,
	VirtualHost,
} from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { RouteConfiguration } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { Configuration } from './configuration.ts'
import { destinationsOf, madeFor, type WeightedName } from './destinations.ts'
import { drawOf } from './draw.ts'
import type { Destination, Header, Retries, RouteAction } from './explained.ts'
import { rewritePath } from './rewrite-path.ts'
import type { SeenRequest } from './seen-request.ts'

/** Envoy's own limit of a request where a route says nothing. */
const defaultTimeoutMs = 15_000

export type ActionContext = {
	readonly configuration: Configuration
	readonly routes: RouteConfiguration
	readonly host: VirtualHost
	readonly request: SeenRequest
}

/** What a route does with a request that it took. */
export function readAction(route: Route, context: ActionContext): RouteAction {
	switch (route.action.case) {
		case 'route':
			return readForward(route, route.action.value, context)
		case 'directResponse':
			return { kind: 'respond', status: route.action.value.status }
		default:
			return { kind: 'unknown', what: route.action.case ?? 'none' }
	}
}

function readForward(route: Route, action: EnvoyAction, context: ActionContext): RouteAction {
	const { hostRewriteSpecifier, timeout, idleTimeout } = action
	const weighted = weightedOf(action)
	const draw = drawOf(action, weighted, context.request)
	const chosen = draw?.chosen ?? null
	return {
		kind: 'forward',
		destinations: destinationsOf(context.configuration, chosen === null ? weighted : allTo(chosen, weighted)),
		drawnBy: draw?.by ?? null,
		copies: action.requestMirrorPolicies.map((policy) => readCopies(policy, context)),
		timeoutMs: timeout === undefined ? defaultTimeoutMs : durationToMs(timeout),
		idleTimeoutMs: idleTimeout === undefined ? null : durationToMs(idleTimeout),
		retries: readRetries(action.retryPolicy ?? context.host.retryPolicy),
		authority: hostRewriteSpecifier.case === 'hostRewriteLiteral' ? hostRewriteSpecifier.value : null,
		path: rewritePath(route.match, action, context.request.path),
		...headerEdits([route, context.host, context.routes]),
	}
}

type HeaderEdits = Pick<Extract<RouteAction, { kind: 'forward' }>, 'headersSet' | 'headersRemoved'>

/** Levels in the order in which Envoy carries them out, each removing before it sets. */
function headerEdits(levels: readonly Pick<Route, 'requestHeadersToAdd' | 'requestHeadersToRemove'>[]): HeaderEdits {
	let headersSet: readonly Header[] = []
	for (const { requestHeadersToAdd, requestHeadersToRemove } of levels) {
		const kept = headersSet.filter(({ name }) => !requestHeadersToRemove.includes(name))
		headersSet = [...kept, ...requestHeadersToAdd.map(readHeader)]
	}
	return { headersSet, headersRemoved: levels.flatMap(({ requestHeadersToRemove }) => requestHeadersToRemove) }
}

/** Sluice writes parts of a million. */
function readCopies(
	{ cluster, runtimeFraction }: RouteAction_RequestMirrorPolicy,
	{ configuration }: ActionContext,
): Destination {
	const virtualNode = madeFor(configuration.cluster(cluster)?.metadata, 'virtualNode')
	return { cluster, virtualNode, sharePpm: runtimeFraction?.defaultValue?.numerator ?? wholePpm }
}

function weightedOf({ clusterSpecifier }: EnvoyAction): WeightedName[] {
	switch (clusterSpecifier.case) {
		case 'cluster':
			return [{ name: clusterSpecifier.value, weight: 1 }]
		case 'weightedClusters':
			return clusterSpecifier.value.clusters.map(({ name, weight = 0 }) => ({ name, weight }))
		default:
			return []
	}
}

function allTo(chosen: WeightedName, weighted: readonly WeightedName[]): WeightedName[] {
	return weighted.map((each) => ({ ...each, weight: each === chosen ? 1 : 0 }))
}

function readRetries(policy: RetryPolicy | undefined): Retries | null {
	if (policy === undefined || policy.numRetries === 0) return null
	return {
		count: policy.numRetries ?? 1,
		on: policy.retryOn.split(',').filter((condition) => condition !== ''),
		statusCodes: policy.retriableStatusCodes,
		perTryTimeoutMs: policy.perTryTimeout === undefined ? null : durationToMs(policy.perTryTimeout),
	}
}

function readHeader({ header }: HeaderValueOption): Header {
	return { name: header?.key ?? '', value: header?.value ?? '' }
}

function durationToMs({ seconds, nanos }: Duration): number {
	return Number(seconds) * 1_000 + nanos / 1_000_000
}
