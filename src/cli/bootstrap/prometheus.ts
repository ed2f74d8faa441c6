import type { HostPort } from './bootstrap-options.ts'
import { socketAddress } from './socket-address.ts'

// Envoy answers Prometheus on its admin interface, where anybody may also stop it. So a listener of its own stands in
// front: one path, one method, and 404 for everything else.

const listenerName = 'sluice-prometheus'
const clusterName = 'sluice-admin'
const filters = 'type.googleapis.com/envoy.extensions.filters'

/** Where Prometheus asks. Two proxies that are given one port must not share it. */
export function prometheusListener(place: HostPort): object {
	return {
		name: listenerName,
		address: socketAddress(place),
		enable_reuse_port: false,
		filter_chains: [{ filters: [connectionManager()] }],
	}
}

/** The path is matched as it comes and in full, so nothing that Envoy would make plain leads elsewhere. */
function connectionManager(): object {
	const onlyGet = { name: ':method', string_match: { exact: 'GET' } }
	const statistics = {
		match: { path: '/stats/prometheus', headers: [onlyGet] },
		route: { cluster: clusterName, timeout: '15s' },
	}
	return {
		name: 'envoy.filters.network.http_connection_manager',
		typed_config: {
			'@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
			stat_prefix: 'prometheus',
			route_config: {
				name: listenerName,
				virtual_hosts: [{ name: 'prometheus', domains: ['*'], routes: [statistics] }],
			},
			http_filters: [
				{
					name: 'envoy.filters.http.router',
					typed_config: { '@type': `${filters}.http.router.v3.Router` },
				},
			],
		},
	}
}

/** The admin interface, as the listener reaches it. */
export function adminCluster(admin: HostPort): object {
	const endpoint = { address: socketAddress({ address: reachable(admin.address), port: admin.port }) }
	return {
		name: clusterName,
		type: 'STATIC',
		connect_timeout: '1s',
		load_assignment: { cluster_name: clusterName, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
	}
}

/** What listens on all addresses is reached by the loopback one. */
function reachable(address: string): string {
	if (address === '0.0.0.0') return '127.0.0.1'
	return address === '::' ? '::1' : address
}
