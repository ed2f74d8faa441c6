import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ListenerFilterSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { OriginalDstSchema } from '#proto/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.ts'
import { packAny } from '../proto/any.ts'
import { type ListenAddress, listenAddress } from '../proto/listen-address.ts'

/** Where a listener takes its connections. Plain data. */
export type CapturePoint =
	/** One port of App Mesh's, to which the system redirects connections; what was dialled is asked back from it. */
	| { readonly kind: 'redirected'; readonly address: ListenAddress; readonly port: number }
	/**
	 * The port that clients dial. One alone: Envoy refuses to change a listener's set of addresses to one that shares some
	 * with the set before (`has duplicate address`), so ports that come and go are listeners that come and go.
	 */
	| {
			readonly kind: 'dialled'
			readonly address: ListenAddress
			readonly port: number
			/**
			 * Whether another socket may listen there too. `alone`: two proxies that are given the same port would share its
			 * connections, and nobody would be told. `shared`: where the address may change under a running proxy, which for a
			 * moment has both, `0.0.0.0` and `::`; Envoy never changes this of a listener.
			 */
			readonly socket: 'alone' | 'shared'
	  }

type ListenerPlace = Pick<MessageInitShape<typeof ListenerSchema>, 'address' | 'enableReusePort'>

export function listenerPlace(point: CapturePoint): ListenerPlace {
	const address = listenAddress(point.address, point.port)
	return point.kind === 'redirected' || point.socket === 'shared' ? { address } : { address, enableReusePort: false }
}

/** Before every other listener filter: those look at the port that was dialled. */
export function originalDestination(point: CapturePoint): MessageInitShape<typeof ListenerFilterSchema>[] {
	if (point.kind === 'dialled') return []
	const value = packAny(OriginalDstSchema, {})
	return [{ name: 'envoy.filters.listener.original_dst', configType: { case: 'typedConfig', value } }]
}
