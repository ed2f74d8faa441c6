import type { ConnectionPool } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import { Cluster_DiscoveryType } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { msToDuration } from '../proto/duration.ts'
import { httpProtocolOptions } from './http-protocol.ts'
import { singleHost } from './load-assignment.ts'
import { thresholds } from './thresholds.ts'

const connectTimeoutMs = 250

/** A cluster of one host on the proxy's own machine. */
export function localHost(parts: {
	readonly name: string
	readonly address: string
	readonly port: number
	readonly protocol: Protocol
	readonly connectionPool: ConnectionPool | null
}) {
	const { name, address, port, protocol, connectionPool } = parts
	return {
		name,
		clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC } as const,
		connectTimeout: msToDuration(connectTimeoutMs),
		loadAssignment: singleHost(name, address, port),
		circuitBreakers: thresholds(connectionPool),
		typedExtensionProtocolOptions: httpProtocolOptions(protocol),
	}
}
