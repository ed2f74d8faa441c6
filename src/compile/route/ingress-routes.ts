import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { VirtualNode } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { ingressClusterName, ingressRoutesName } from '../names.ts'
import { ingressAction } from './action.ts'
import { anyPath, pathSpecifier } from './match.ts'

/** Whatever comes in on a listener's port goes to the application, within the listener's limits. */
export function compileIngressRoutes(node: VirtualNode, listener: VirtualNodeListener): CompiledResource {
	const name = ingressRoutesName(listener.port)
	const cluster = ingressClusterName(node.id, listener)
	return compiledResource({
		typeUrl: typeUrls.route,
		name,
		key: canonicalJson({ node: node.id, listener }),
		schema: RouteConfigurationSchema,
		clusters: [cluster],
		madeOf: [node.id],
		make: () => {
			const action = { case: 'route', value: ingressAction(cluster, listener.timeout) } as const
			const route = { match: { pathSpecifier: pathSpecifier(anyPath) }, action }
			return create(RouteConfigurationSchema, {
				name,
				virtualHosts: [{ name: node.name, domains: ['*'], routes: [route] }],
			})
		},
	})
}
