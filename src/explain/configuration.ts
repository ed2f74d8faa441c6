import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { type CompiledResource, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Cluster, ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type Listener, ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { type RouteConfiguration, RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'

// Envoy's configuration of one proxy as messages, wherever it comes from: just compiled, or ACKed by the proxy.

export type Configuration = {
	readonly listeners: readonly Listener[]
	readonly routes: (name: string) => RouteConfiguration | null
	readonly cluster: (name: string) => Cluster | null
	/** What the proxy holds without its bytes being known here. */
	readonly unseen: readonly UnseenResource[]
}

export type UnseenResource = { readonly typeUrl: TypeUrl; readonly name: string }

/** What a compiler made for a group of proxies. Routes and clusters are built when they are looked at. */
export function compiledConfiguration(compiled: readonly CompiledResource[]): Configuration {
	return {
		listeners: compiled
			.filter(({ typeUrl }) => typeUrl === typeUrls.listener)
			.map((resource) => resource.build().message as Listener),
		routes: lookUp(compiled, typeUrls.route, (resource) => resource.build().message as RouteConfiguration),
		cluster: lookUp(compiled, typeUrls.cluster, (resource) => resource.build().message as Cluster),
		unseen: [],
	}
}

/** What a proxy holds, in bytes. */
export function heldConfiguration(held: readonly EncodedResource[], unseen: readonly UnseenResource[]): Configuration {
	const listeners = held.filter(({ typeUrl }) => typeUrl === typeUrls.listener)
	return {
		listeners: listeners.map(({ bytes }) => fromBinary(ListenerSchema, bytes)),
		routes: lookUp(held, typeUrls.route, decodeAs(RouteConfigurationSchema)),
		cluster: lookUp(held, typeUrls.cluster, decodeAs(ClusterSchema)),
		unseen,
	}
}

function decodeAs<Desc extends DescMessage>(schema: Desc): (resource: EncodedResource) => MessageShape<Desc> {
	return ({ bytes }) => fromBinary(schema, bytes)
}

type Named = { readonly typeUrl: TypeUrl; readonly name: string }

function lookUp<Resource extends Named, Message>(
	resources: readonly Resource[],
	type: TypeUrl,
	read: (resource: Resource) => Message,
): (name: string) => Message | null {
	const byName = new Map(resources.filter(({ typeUrl }) => typeUrl === type).map((each) => [each.name, each]))
	const known = new Map<string, Message>()
	return (name) => {
		const resource = byName.get(name)
		if (resource === undefined) return null
		const message = known.get(name) ?? read(resource)
		known.set(name, message)
		return message
	}
}
