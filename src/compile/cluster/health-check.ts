import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { HealthCheck } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { HealthCheckSchema } from '#proto/gen/envoy/config/core/v3/health_check_pb.ts'
import { CodecClientType } from '#proto/gen/envoy/type/v3/http_pb.ts'
import { msToDuration } from '../proto/duration.ts'
import { alpnProtocols } from '../tls/tls-context.ts'

export type HealthCheckOptions = {
	readonly healthCheck: HealthCheck
	/** Of the listener that is checked. */
	readonly protocol: Protocol
	/** What the check asks for: as `Host`, as `:authority`. */
	readonly host: string
	readonly transport: 'plain' | 'tls'
}

/** How soon an unhealthy host is looked at again, if the interval is longer: before any request went there, and later. */
const recheckMs = { unused: 1_000, used: 5_000 }

/**
 * Run by each caller's proxy against each host. Also where no request has ever gone: Envoy would look there once a
 * minute only, and a rollout waits until its target is seen healthy.
 * An unhealthy host is looked at again soon. Envoy starts to check as soon as it knows a host, which may be before the
 * cluster's certificates are there: that check fails, and Envoy holds the cluster back, and all later ones with it, until
 * the next.
 */
export function healthCheckOf(options: HealthCheckOptions): MessageInitShape<typeof HealthCheckSchema> {
	const { healthCheck, transport } = options
	const protocol = checkedProtocol(healthCheck.protocol, options.protocol)
	const interval = msToDuration(healthCheck.intervalMs)
	return {
		timeout: msToDuration(healthCheck.timeoutMs),
		interval,
		unhealthyInterval: msToDuration(Math.min(healthCheck.intervalMs, recheckMs.used)),
		noTrafficInterval: msToDuration(Math.min(healthCheck.intervalMs, recheckMs.unused)),
		noTrafficHealthyInterval: interval,
		healthyThreshold: healthCheck.healthyThreshold,
		unhealthyThreshold: healthCheck.unhealthyThreshold,
		healthChecker: checkerOf(protocol, options),
		// The check's own protocol may differ from that of the traffic.
		...(transport === 'tls' && protocol !== 'tcp' ? { tlsOptions: { alpnProtocols: alpnProtocols(protocol) } } : {}),
	}
}

/**
 * Envoy refuses a gRPC check in a cluster that speaks HTTP/1.1. Such a host is only asked whether it takes connections:
 * it could not answer gRPC there.
 */
function checkedProtocol(written: Protocol, ofListener: Protocol): Protocol {
	return written === 'grpc' && ofListener === 'http' ? 'tcp' : written
}

/** Every answer but 200. Without it the first such answer makes a host unhealthy, whatever `unhealthyThreshold` says. */
const retriableStatuses = [{ start: 100n, end: 600n }]

function checkerOf(
	protocol: Protocol,
	{ healthCheck: { path }, host }: HealthCheckOptions,
): NonNullable<MessageInitShape<typeof HealthCheckSchema>['healthChecker']> {
	switch (protocol) {
		case 'http':
			return {
				case: 'httpHealthCheck',
				value: { host, path, retriableStatuses, codecClientType: CodecClientType.HTTP1 },
			}
		case 'http2':
			return {
				case: 'httpHealthCheck',
				value: { host, path, retriableStatuses, codecClientType: CodecClientType.HTTP2 },
			}
		case 'grpc':
			return { case: 'grpcHealthCheck', value: { authority: host } }
		case 'tcp':
			return { case: 'tcpHealthCheck', value: {} }
		default:
			return unreachable(protocol)
	}
}
