import type { Any } from '@bufbuild/protobuf/wkt'
import type { Protocol } from '#mesh/route-spec.ts'
import { HttpProtocolOptionsSchema } from '#proto/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts'
import { packAny } from '../proto/any.ts'

const extensionName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** What Envoy speaks towards a cluster's hosts, as the cluster's `typed_extension_protocol_options`. TCP: nothing. */
export function httpProtocolOptions(protocol: Protocol): Record<string, Any> {
	if (protocol === 'tcp') return {}
	const protocolConfig =
		protocol === 'http'
			? ({ case: 'httpProtocolOptions', value: {} } as const)
			: ({ case: 'http2ProtocolOptions', value: {} } as const)
	const upstreamProtocolOptions = { case: 'explicitHttpConfig', value: { protocolConfig } } as const
	return { [extensionName]: packAny(HttpProtocolOptionsSchema, { upstreamProtocolOptions }) }
}
