import { isIP } from 'node:net'
import type { BootstrapOptions, HostPort } from './bootstrap-options.ts'

export const controlPlaneClusterName = 'xds'

const http2Extension = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/**
 * Where configuration comes from and counters go. A second address is a second priority, never an equal: between equals
 * Envoy would send the two streams to different daemons. It is used as soon as the first failed once, and for ten
 * seconds before the first is tried again.
 */
export function controlPlaneCluster(addresses: BootstrapOptions['controlPlane']): object {
	return {
		name: controlPlaneClusterName,
		type: discoveryType(addresses),
		connect_timeout: '1s',
		load_assignment: { cluster_name: controlPlaneClusterName, endpoints: addresses.map(endpointsOf) },
		typed_extension_protocol_options: {
			[http2Extension]: {
				'@type': `type.googleapis.com/${http2Extension}`,
				// A daemon that is frozen, or gone without a word, is noticed after seven seconds.
				explicit_http_config: {
					http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '2s' } },
				},
			},
		},
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

function endpointsOf({ address, port }: HostPort, priority: number): object {
	const endpoint = { address: { socket_address: { address, port_value: port } } }
	return { ...(priority === 0 ? {} : { priority }), lb_endpoints: [{ endpoint }] }
}
