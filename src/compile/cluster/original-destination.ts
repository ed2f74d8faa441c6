import { create } from '@bufbuild/protobuf'
import { resourceId } from '#mesh/mesh.ts'
import {
	Cluster_DiscoveryType,
	Cluster_LbPolicy,
	ClusterSchema,
} from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { msToDuration } from '../proto/duration.ts'
import { thresholds } from './thresholds.ts'

/** A cluster of wherever the connection was going before it was captured. */
export function originalDestination(name: string, mesh: string): CompiledResource {
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: 'original destination',
		schema: ClusterSchema,
		madeOf: [resourceId.mesh(mesh)],
		make: () =>
			create(ClusterSchema, {
				name,
				clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
				lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
				connectTimeout: msToDuration(1_000),
				circuitBreakers: thresholds(null),
			}),
	})
}
