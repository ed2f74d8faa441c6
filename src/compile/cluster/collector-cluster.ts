import { create } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import { canonicalJson } from '#base/hash.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { Collector, TracingProvider } from '#mesh/proxy-spec.ts'
import type { HttpProtocol } from '#mesh/route-spec.ts'
import {
	Cluster_DiscoveryType,
	Cluster_DnsLookupFamily,
	ClusterSchema,
} from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { collectorClusterName } from '../names.ts'
import { msToDuration } from '../proto/duration.ts'
import { isIpAddress } from '../tls/subject-alternative-names.ts'
import { httpProtocolOptions } from './http-protocol.ts'
import { singleHost } from './load-assignment.ts'

/**
 * Where a proxy sends its traces; null for X-Ray, whose daemon takes datagrams and needs no cluster. Envoy's own limits
 * stay: traces are dropped rather than heaped up. `madeOf`: who wrote the tracing.
 */
export function compileCollectorCluster(
	provider: TracingProvider,
	madeOf: readonly ResourceId[],
): CompiledResource | null {
	const found = collectorOf(provider)
	if (found === null) return null
	const { collector, protocol } = found
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name: collectorClusterName,
		key: canonicalJson({ collector, protocol }),
		schema: ClusterSchema,
		madeOf,
		make: () =>
			create(ClusterSchema, {
				name: collectorClusterName,
				...hostsAt(collector),
				connectTimeout: msToDuration(1_000),
				loadAssignment: singleHost(collectorClusterName, collector.address, collector.port),
				typedExtensionProtocolOptions: httpProtocolOptions(protocol),
			}),
	})
}

function collectorOf(provider: TracingProvider): { collector: Collector; protocol: HttpProtocol } | null {
	switch (provider.kind) {
		case 'openTelemetry':
			return { collector: provider.collector, protocol: 'grpc' }
		case 'zipkin':
		case 'datadog':
			return { collector: provider.collector, protocol: 'http' }
		case 'xray':
			return null
		default:
			return unreachable(provider)
	}
}

/** A host name is looked up as written, `localhost` and search domains too; by IPv4 first, where collectors listen. */
function hostsAt({ address }: Collector) {
	const type = isIpAddress(address) ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.STRICT_DNS
	return {
		clusterDiscoveryType: { case: 'type', value: type },
		...(isIpAddress(address) ? {} : { dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED }),
	} as const
}
