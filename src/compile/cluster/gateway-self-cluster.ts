import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { VirtualGateway } from '#mesh/mesh.ts'
import type { GatewayListener } from '#mesh/proxy-spec.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { gatewaySelfClusterName } from '../names.ts'
import { localHost } from './local-host.ts'

/**
 * The way from a gateway's listener to its own egress listener, where the virtual service's routes are: App Mesh's
 * self-redirect. It speaks the listener's protocol, and the listener's connection pool is its limit.
 */
export function compileGatewaySelfCluster(
	gateway: VirtualGateway,
	listener: GatewayListener,
	egress: { readonly address: string; readonly port: number },
): CompiledResource {
	const { protocol, connectionPool } = listener
	const name = gatewaySelfClusterName(gateway, listener)
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: canonicalJson({ protocol, egress, connectionPool }),
		schema: ClusterSchema,
		madeOf: [gateway.id],
		make: () => create(ClusterSchema, localHost({ name, protocol, ...egress, connectionPool })),
	})
}
