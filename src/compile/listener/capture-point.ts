import { unreachable } from '#base/assert.ts'
import { OriginalDstSchema } from '#proto/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.ts'
import type { Capture } from '../compiled.ts'
import { packAny } from '../proto/any.ts'
import { socketAddress } from '../proto/socket-address.ts'

/**
 * Where a listener takes its connections. Explicit: on the ports that clients dial. Intercept: on App Mesh's one port,
 * to which the system redirects them; the port that was dialled is asked back from it.
 */
export function capturePoint(capture: Capture, dialled: readonly number[], interceptPort: number) {
	switch (capture.mode) {
		case 'intercept': {
			const value = packAny(OriginalDstSchema, {})
			const configType = { case: 'typedConfig', value } as const
			return {
				address: socketAddress('0.0.0.0', interceptPort),
				listenerFilters: [{ name: 'envoy.filters.listener.original_dst', configType }],
			}
		}
		case 'explicit': {
			const [first = 0, ...more] = dialled
			return {
				address: socketAddress(capture.bind, first),
				additionalAddresses: more.map((port) => ({ address: socketAddress(capture.bind, port) })),
				// With it two proxies that are given the same port would share its connections, and nobody would be told.
				enableReusePort: false,
			}
		}
		default:
			return unreachable(capture)
	}
}
