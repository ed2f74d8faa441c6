import type { MessageInitShape } from '@bufbuild/protobuf'
import type { CircuitBreakersSchema } from '#proto/gen/envoy/config/cluster/v3/circuit_breaker_pb.ts'

const unlimited = 2_147_483_647

/** App Mesh's: none. Envoy's own defaults of 1024 requests would turn load into 503s that look like a bad version. */
export function unlimitedThresholds(): MessageInitShape<typeof CircuitBreakersSchema> {
	const threshold = {
		maxConnections: unlimited,
		maxPendingRequests: unlimited,
		maxRequests: unlimited,
		maxRetries: unlimited,
	}
	return { thresholds: [threshold] }
}
