import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { FilterChainSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { type SecretUse, servedSecretNames } from '../tls/secret-use.ts'
import { type CapturePoint, listenerPlace, originalDestination } from './capture-point.ts'
import { collectorsOf, type ListenerSettings } from './listener-settings.ts'
import { tlsInspector } from './tls-inspector.ts'

type FilterChainInit = MessageInitShape<typeof FilterChainSchema>

export type ListenerParts = {
	readonly name: string
	readonly direction: TrafficDirection
	readonly point: CapturePoint
	readonly settings: ListenerSettings
	/** Plain data: everything that `chains` and `defaultChain` read beside the settings. */
	readonly key: unknown
	readonly chains: () => FilterChainInit[]
	/** For connections that no chain is for; without one they are closed. */
	readonly defaultChain?: () => FilterChainInit
	/** Dialled ports on which a connection's first bytes decide which chain it is for. */
	readonly inspectedPorts: readonly number[]
	readonly clusters: readonly string[]
	readonly routes: readonly string[]
	readonly secrets: readonly SecretUse[]
	readonly madeOf: readonly ResourceId[]
}

/** What all listeners have in common: where they are, what looks at a connection first, and what they name. */
export function compiledListener(parts: ListenerParts): CompiledResource {
	const { name, direction, point, settings, inspectedPorts, defaultChain } = parts
	return compiledResource({
		typeUrl: typeUrls.listener,
		name,
		key: canonicalJson({ point, settings, inspectedPorts, key: parts.key }),
		schema: ListenerSchema,
		clusters: [...parts.clusters, ...collectorsOf(settings)],
		routes: parts.routes,
		secrets: servedSecretNames(parts.secrets),
		madeOf: parts.madeOf,
		make: () =>
			create(ListenerSchema, {
				name,
				...listenerPlace(point),
				listenerFilters: [...originalDestination(point), ...tlsInspector(inspectedPorts)],
				trafficDirection: direction,
				filterChains: parts.chains(),
				...(defaultChain === undefined ? {} : { defaultFilterChain: defaultChain() }),
			}),
	})
}
