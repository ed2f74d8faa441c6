import type { IpPreference, ServiceDiscovery } from '#mesh/proxy-spec.ts'
import { Cluster_DiscoveryType, Cluster_DnsLookupFamily } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'

type DnsDiscovery = Extract<ServiceDiscovery, { kind: 'dns' }>

/** App Mesh's table; without a preference Envoy asks for IPv6 first, then for IPv4. */
const lookupFamilies = {
	IPv4_PREFERRED: Cluster_DnsLookupFamily.V4_PREFERRED,
	IPv6_PREFERRED: Cluster_DnsLookupFamily.AUTO,
	IPv4_ONLY: Cluster_DnsLookupFamily.V4_ONLY,
	IPv6_ONLY: Cluster_DnsLookupFamily.V6_ONLY,
} as const

/** LOADBALANCER takes one address of the answer for each new connection; ENDPOINTS makes each address a host. */
const discoveryTypes = {
	LOADBALANCER: Cluster_DiscoveryType.LOGICAL_DNS,
	ENDPOINTS: Cluster_DiscoveryType.STRICT_DNS,
} as const

/**
 * How a host name becomes hosts. How often it is asked for stays Envoy's default, every 5 s whatever the record's TTL:
 * resolvers cache, a stale address is what users complained of, and the fields that would change it are deprecated.
 */
export function dnsDiscovery(responseType: DnsDiscovery['responseType'], preference: IpPreference | null) {
	return {
		clusterDiscoveryType: { case: 'type', value: discoveryTypes[responseType] },
		dnsLookupFamily: preference === null ? Cluster_DnsLookupFamily.AUTO : lookupFamilies[preference],
	} as const
}
