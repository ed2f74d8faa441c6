import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { VirtualNode } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { Cluster_DiscoveryType, ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { ingressClusterName } from '../names.ts'
import { msToDuration } from '../proto/duration.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { httpProtocolOptions } from './http-protocol.ts'
import { singleHost } from './load-assignment.ts'
import { unlimitedThresholds } from './thresholds.ts'

const connectTimeoutMs = 250

/** The way from a proxy to the application beside it, at an IP address. */
export function compileIngressCluster(
	node: VirtualNode,
	{ port, protocol }: VirtualNodeListener,
	app: { readonly address: string; readonly port: number },
): CompiledResource {
	const name = ingressClusterName(node.id, { protocol, port })
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: canonicalJson({ node: node.id, port, protocol, app }),
		schema: ClusterSchema,
		madeOf: [node.id],
		make: () =>
			create(ClusterSchema, {
				name,
				clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
				connectTimeout: msToDuration(connectTimeoutMs),
				loadAssignment: singleHost(name, app.address, app.port),
				circuitBreakers: unlimitedThresholds(),
				typedExtensionProtocolOptions: httpProtocolOptions(protocol),
				metadata: sluiceMetadata('virtualNode', node.id),
			}),
	})
}
