import { http2Protocol } from './http2-protocol.ts'

/** App Mesh's name; secrets of a proxy with its own SDS server are fetched from here. */
const name = 'static_cluster_sds_unix_socket'

/** An SDS server beside the proxy, SPIRE's agent say, on a Unix socket. */
export function sdsCluster(path: string): object {
	return {
		name,
		type: 'STATIC',
		connect_timeout: '1s',
		load_assignment: {
			cluster_name: name,
			endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
		},
		typed_extension_protocol_options: http2Protocol({}),
	}
}
