import { unreachable } from '#base/assert.ts'
import type { IpPreference, ServiceDiscovery } from '#mesh/proxy-spec.ts'
import { Cluster_DiscoveryType } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { adsSource } from '../proto/ads-source.ts'
import { msToDuration } from '../proto/duration.ts'
import { dnsDiscovery } from './dns.ts'
import { singleHost } from './load-assignment.ts'

const connectTimeoutMs = 1_000

/**
 * A cluster that is changed asks for its endpoints again, and waits; all later changes of clusters wait with it. After
 * this time it goes on with those it had.
 */
const endpointWaitMs = 2_000

export type HostParameters = {
	/** Of the cluster, and of its endpoint resource. */
	readonly name: string
	readonly port: number
	readonly hosts: HostSource
}

/** How a cluster comes by its hosts, without what those are where they come as endpoints. */
export type HostSource =
	| {
			readonly kind: 'dns'
			readonly hostname: string
			readonly responseType: 'LOADBALANCER' | 'ENDPOINTS'
			readonly preference: IpPreference | null
	  }
	| { readonly kind: 'endpoints' }

export function hostSource(discovery: ServiceDiscovery, preference: IpPreference | null): HostSource {
	if (discovery.kind !== 'dns') return { kind: 'endpoints' }
	const { hostname, responseType } = discovery
	return { kind: 'dns', hostname, responseType, preference }
}

/** The part of a cluster that says where its hosts are. */
export function hostDiscovery({ name, port, hosts }: HostParameters) {
	const connectTimeout = msToDuration(connectTimeoutMs)
	switch (hosts.kind) {
		case 'dns':
			return {
				connectTimeout,
				...dnsDiscovery(hosts.responseType, hosts.preference),
				// The dot makes it a whole name: no search domain is tried.
				loadAssignment: singleHost(name, `${hosts.hostname}.`, port),
			}
		case 'endpoints':
			return {
				connectTimeout,
				clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS } as const,
				edsClusterConfig: { edsConfig: adsSource(endpointWaitMs) },
				// An endpoint that is taken away gets nothing more, however healthy it looks.
				ignoreHealthOnHostRemoval: true,
			}
		default:
			return unreachable(hosts)
	}
}
