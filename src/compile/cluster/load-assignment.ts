import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ClusterLoadAssignmentSchema } from '#proto/gen/envoy/config/endpoint/v3/endpoint_pb.ts'
import { socketAddress } from '../proto/socket-address.ts'

/** A cluster of one host: an IP, or a name that the cluster resolves. */
export function singleHost(
	clusterName: string,
	address: string,
	port: number,
): MessageInitShape<typeof ClusterLoadAssignmentSchema> {
	const endpoint = { address: socketAddress(address, port) }
	return { clusterName, endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: endpoint } }] }] }
}
