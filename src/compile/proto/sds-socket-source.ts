import { create } from '@bufbuild/protobuf'
import {
	ApiConfigSource_ApiType,
	ApiVersion,
	type ConfigSource,
	ConfigSourceSchema,
} from '#proto/gen/envoy/config/core/v3/config_source_pb.ts'
import { msToDuration } from './duration.ts'

/** App Mesh's name of the bootstrap's cluster for an SDS server on a Unix socket. */
const sdsSocketCluster = 'static_cluster_sds_unix_socket'

/** "Ask the SDS server beside the proxy": SPIRE's agent, say. State of the world is what all of them speak. */
export function sdsSocketSource(initialFetchTimeoutMs: number): ConfigSource {
	const apiConfigSource = {
		apiType: ApiConfigSource_ApiType.GRPC,
		transportApiVersion: ApiVersion.V3,
		grpcServices: [{ targetSpecifier: { case: 'envoyGrpc', value: { clusterName: sdsSocketCluster } } } as const],
	}
	return create(ConfigSourceSchema, {
		configSourceSpecifier: { case: 'apiConfigSource', value: apiConfigSource },
		resourceApiVersion: ApiVersion.V3,
		initialFetchTimeout: msToDuration(initialFetchTimeoutMs),
	})
}
