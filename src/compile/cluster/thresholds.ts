import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ConnectionPool } from '#mesh/proxy-spec.ts'
import type { CircuitBreakersSchema } from '#proto/gen/envoy/config/cluster/v3/circuit_breaker_pb.ts'

const unlimited = 2_147_483_647

/**
 * App Mesh's: none but what a connection pool says. Envoy's own defaults of 1024 requests would turn load into 503s that
 * look like a bad version.
 */
export function thresholds(pool: ConnectionPool | null): MessageInitShape<typeof CircuitBreakersSchema> {
	const threshold = {
		maxConnections: pool?.maxConnections ?? unlimited,
		maxPendingRequests: pool?.maxPendingRequests ?? unlimited,
		maxRequests: pool?.maxRequests ?? unlimited,
		maxRetries: unlimited,
	}
	return { thresholds: [threshold] }
}
