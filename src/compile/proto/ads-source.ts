import { create } from '@bufbuild/protobuf'
import { ApiVersion, type ConfigSource, ConfigSourceSchema } from '#proto/gen/envoy/config/core/v3/config_source_pb.ts'
import { msToDuration } from './duration.ts'

/**
 * "Ask on the stream this came by". 0, the first fetch waits for ever: a listener without its routes would answer 404
 * to everything, while the one it replaces goes on as long as the new one waits.
 */
export function adsSource(initialFetchTimeoutMs = 0): ConfigSource {
	return create(ConfigSourceSchema, {
		configSourceSpecifier: { case: 'ads', value: {} },
		resourceApiVersion: ApiVersion.V3,
		initialFetchTimeout: msToDuration(initialFetchTimeoutMs),
	})
}
