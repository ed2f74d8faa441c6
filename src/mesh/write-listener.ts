import { unreachable } from '#base/assert.ts'
import type {
	ConnectionPool,
	GatewayListener,
	HealthCheck,
	OutlierDetection,
	VirtualNodeListener,
} from './proxy-spec.ts'
import type { Protocol, Timeout } from './route-spec.ts'
import { type Written, writeDuration, writeMembers, writeUnlessEmpty } from './write-members.ts'
import { writeListenerTls } from './write-tls.ts'

export function writeNodeListener(listener: VirtualNodeListener): Written {
	const { protocol, timeout, outlierDetection } = listener
	return writeMembers({
		...writeGatewayListener(listener),
		timeout: writeTimeout(protocol, timeout),
		outlierDetection: outlierDetection === null ? null : writeOutlierDetection(outlierDetection),
	})
}

/** What a gateway's listener and a node's have in common. */
export function writeGatewayListener(listener: GatewayListener | VirtualNodeListener): Written {
	const { port, protocol, tls, healthCheck, connectionPool } = listener
	return writeMembers({
		portMapping: { port, protocol },
		tls: tls === null ? null : writeListenerTls(tls),
		healthCheck: healthCheck === null ? null : writeHealthCheck(healthCheck),
		connectionPool: connectionPool === null ? null : { [protocol]: writeConnectionPool(protocol, connectionPool) },
	})
}

/** App Mesh writes limits under the protocol of the port. */
function writeTimeout(protocol: Protocol, { perRequestMs, idleMs }: Timeout): Written | null {
	const written = writeUnlessEmpty({ perRequest: writeDuration(perRequestMs), idle: writeDuration(idleMs) })
	return written === null ? null : { [protocol]: written }
}

function writeHealthCheck(check: HealthCheck): Written {
	const { protocol, path, healthyThreshold, unhealthyThreshold, intervalMs, timeoutMs } = check
	return {
		protocol,
		...(protocol === 'http' || protocol === 'http2' ? { path } : {}),
		healthyThreshold,
		unhealthyThreshold,
		intervalMillis: intervalMs,
		timeoutMillis: timeoutMs,
	}
}

function writeOutlierDetection(detection: OutlierDetection): Written {
	const { maxServerErrors, intervalMs, baseEjectionDurationMs, maxEjectionPercent } = detection
	const interval = writeDuration(intervalMs)
	return { maxServerErrors, interval, baseEjectionDuration: writeDuration(baseEjectionDurationMs), maxEjectionPercent }
}

function writeConnectionPool(protocol: Protocol, pool: ConnectionPool): Written {
	const { maxConnections, maxPendingRequests, maxRequests } = pool
	switch (protocol) {
		case 'http':
			return writeMembers({ maxConnections, maxPendingRequests })
		case 'http2':
		case 'grpc':
			return writeMembers({ maxRequests })
		case 'tcp':
			return writeMembers({ maxConnections })
		default:
			return unreachable(protocol)
	}
}
