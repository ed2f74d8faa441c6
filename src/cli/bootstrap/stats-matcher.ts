// Which statistics Envoy keeps when only the daemon reads them: those that the guard reads, and what tells whether
// configuration arrived and why connections fail. All others are not even counted, which keeps a flush at a few
// kilobytes.

const ofCluster = [
	'upstream_rq_(total|completed|time|timeout|per_try_timeout|retry|retry_success|retry_limit_exceeded|pending_overflow|rx_reset|tx_reset|active|[2345]xx)',
	'retry\\.upstream_rq_5xx',
	// Of TCP these are all there is: it has no answers to count.
	'upstream_cx_(total|active|connect_fail|connect_timeout|connect_attempts_exceeded|overflow|none_healthy)',
	'membership_(healthy|total)',
	'grpc\\.[0-9]+',
	'ssl\\.(fail_verify_(san|error|no_cert)|connection_error|handshake)',
	'client_ssl_socket_factory\\.upstream_context_secrets_not_ready',
	'health_check\\.(attempt|failure|network_failure)',
	'outlier_detection\\.ejections_(active|enforced_total|overflow)',
	'update_rejected',
	'assignment_use_cached',
]

const ofConnectionManager = ['downstream_rq_(total|[2345]xx)', 'no_route', 'no_cluster', 'fault\\.aborts_injected']

const ofTcpProxy = ['downstream_cx_(total|no_route)', 'idle_timeout']

/** A port that no chain is for, handshakes that fail: under `listener.` with the address, which has dots. */
const ofListener = [
	'no_filter_chain_match',
	'ssl\\.(fail_verify_(san|error|no_cert)|connection_error|handshake)',
	'server_ssl_socket_factory\\.downstream_context_secrets_not_ready',
]

const ofProxy = [
	'control_plane\\..*',
	'server\\.(live|state|uptime|dynamic_unknown_fields)',
	'runtime\\.deprecated_feature_use',
	'cluster_manager\\..*',
	'listener_manager\\..*',
]

/** With several ingress ports App Mesh's prefix is `ingress.http2.80`. */
const prefix = '(egress|ingress)(\\.(http|http2|grpc|tcp)\\.[0-9]+)?'

/**
 * Each regex takes a whole name. A cluster's own name has no dot, so `[^.]+` leaves out what Envoy counts a second time
 * under `external.` and `zone.`.
 */
export function statsMatcher(): object {
	const patterns = [
		`cluster\\.[^.]+\\.(${ofCluster.join('|')})`,
		`http\\.${prefix}\\.(${ofConnectionManager.join('|')})`,
		`tcp\\.${prefix}\\.(${ofTcpProxy.join('|')})`,
		`listener\\.[0-9a-f_.:\\[\\]]+\\.(${ofListener.join('|')})`,
		`(${ofProxy.join('|')})`,
	]
	return { inclusion_list: { patterns: patterns.map((regex) => ({ safe_regex: { regex } })) } }
}
