import { create } from '@bufbuild/protobuf'
import { resourceId } from '#mesh/mesh.ts'
import {
	Cluster_DiscoveryType,
	Cluster_LbPolicy,
	ClusterSchema,
} from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { passThroughClusterName } from '../names.ts'
import { msToDuration } from '../proto/duration.ts'
import { unlimitedThresholds } from './thresholds.ts'

/** Wherever the connection was going before it was captured: a mesh whose egress filter is ALLOW_ALL. */
export function compilePassThroughCluster(mesh: string): CompiledResource {
	const name = passThroughClusterName(mesh)
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: 'pass through',
		schema: ClusterSchema,
		madeOf: [resourceId.mesh(mesh)],
		make: () =>
			create(ClusterSchema, {
				name,
				clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
				lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
				connectTimeout: msToDuration(1_000),
				circuitBreakers: unlimitedThresholds(),
			}),
	})
}
