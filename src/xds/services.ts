import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Variant } from './request.ts'

// The methods of the discovery services: the aggregated one, and one of its own for each type.

/** The one type of a separate service; `all` of the aggregated one. */
export type Serves = TypeUrl | 'all'

export type DiscoveryMethod = { readonly path: string; readonly serves: Serves; readonly variant: Variant }

/** What is served → package and name of the service, and what its methods end with. */
const services: readonly (readonly [Serves, service: string, what: string])[] = [
	['all', 'discovery.v3.AggregatedDiscoveryService', 'AggregatedResources'],
	[typeUrls.cluster, 'cluster.v3.ClusterDiscoveryService', 'Clusters'],
	[typeUrls.endpoint, 'endpoint.v3.EndpointDiscoveryService', 'Endpoints'],
	[typeUrls.listener, 'listener.v3.ListenerDiscoveryService', 'Listeners'],
	[typeUrls.route, 'route.v3.RouteDiscoveryService', 'Routes'],
	[typeUrls.secret, 'secret.v3.SecretDiscoveryService', 'Secrets'],
]

/** Each is a stream. The `Fetch…` methods, one answer to one question, are not served: they can tell no proxy of a change. */
export const discoveryMethods: readonly DiscoveryMethod[] = services.flatMap(([serves, service, what]) => [
	{ path: `/envoy.service.${service}/Delta${what}`, serves, variant: 'delta' },
	{ path: `/envoy.service.${service}/Stream${what}`, serves, variant: 'stateOfTheWorld' },
])
