import { isIP } from 'node:net'
import type { BootstrapOptions, HostPort } from './bootstrap-options.ts'
import { controlPlaneTransport } from './control-plane-tls.ts'
import { tokenFilters } from './control-plane-token.ts'
import { http2Protocol } from './http2-protocol.ts'
import { socketAddress } from './socket-address.ts'

const name = 'xds'

/**
 * A call to the daemon, for configuration or with counters. The retry policy only has effect inside `envoy_grpc`; without
 * it Envoy may wait 30 s before it comes back.
 */
export function streamToControlPlane(): object {
	const backOff = { base_interval: '0.1s', max_interval: '1s' }
	return { cluster_name: name, authority: 'sluice', retry_policy: { retry_back_off: backOff } }
}

/**
 * Where configuration comes from and counters go. A second address is a second priority, never an equal: between equals
 * Envoy would send the two streams to different daemons. It is used as soon as the first failed once, and for ten
 * seconds before the first is tried again.
 */
export function controlPlaneCluster({
	controlPlane: addresses,
	tls,
	token,
}: Pick<BootstrapOptions, 'controlPlane' | 'tls' | 'token'>): object {
	return {
		name,
		type: discoveryType(addresses),
		connect_timeout: '1s',
		load_assignment: { cluster_name: name, endpoints: addresses.map(endpointsOf) },
		// A daemon that is frozen, or gone without a word, is noticed after seven seconds.
		typed_extension_protocol_options: http2Protocol(
			{ connection_keepalive: { interval: '5s', timeout: '2s' } },
			token === undefined ? [] : tokenFilters(token),
		),
		...(tls === undefined ? {} : { transport_socket: controlPlaneTransport(tls) }),
		...(addresses.length === 1 ? {} : { outlier_detection: leaveAfterOneFailure }),
	}
}

const leaveAfterOneFailure = {
	consecutive_5xx: 1,
	interval: '1s',
	base_ejection_time: '10s',
	max_ejection_time: '10s',
	max_ejection_percent: 100,
}

/** LOGICAL_DNS keeps both streams on one connection whatever a name resolves to, but takes one host only. */
function discoveryType(addresses: readonly HostPort[]): string {
	if (addresses.every(({ address }) => isIP(address) !== 0)) return 'STATIC'
	return addresses.length === 1 ? 'LOGICAL_DNS' : 'STRICT_DNS'
}

function endpointsOf(address: HostPort, priority: number): object {
	const endpoint = { address: socketAddress(address) }
	return { ...(priority === 0 ? {} : { priority }), lb_endpoints: [{ endpoint }] }
}
