import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { VirtualNode } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { ingressClusterName } from '../names.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { localHost } from './local-host.ts'

/** The way from a proxy to the application beside it, at an IP address; the listener's connection pool is its limit. */
export function compileIngressCluster(
	node: VirtualNode,
	{ port, protocol, connectionPool }: VirtualNodeListener,
	app: { readonly address: string; readonly port: number },
): CompiledResource {
	const name = ingressClusterName(node.id, { protocol, port })
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: canonicalJson({ node: node.id, port, protocol, app, connectionPool }),
		schema: ClusterSchema,
		madeOf: [node.id],
		make: () =>
			create(ClusterSchema, {
				...localHost({ name, protocol, ...app, connectionPool }),
				metadata: sluiceMetadata('virtualNode', node.id),
			}),
	})
}
