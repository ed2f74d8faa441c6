// Which statistics Envoy keeps: those that the guard reads, and what tells whether configuration arrived. All others
// are not even counted, which keeps a flush at a few kilobytes.

const ofCluster = [
	'upstream_rq_(total|completed|time|timeout|per_try_timeout|retry|retry_success|retry_limit_exceeded|pending_overflow|rx_reset|tx_reset|active|[2345]xx)',
	'retry\\.upstream_rq_5xx',
	'upstream_cx_(total|active|connect_fail|connect_timeout|overflow|none_healthy)',
	'membership_(healthy|total)',
	'grpc\\.[0-9]+',
	'ssl\\.(fail_verify_san|fail_verify_error|connection_error|handshake)',
	'outlier_detection\\.ejections_active',
	'update_rejected',
	'assignment_use_cached',
]

const ofConnectionManager = ['downstream_rq_(total|[2345]xx|time)', 'no_route', 'no_cluster', 'fault\\.aborts_injected']

const ofProxy = [
	'control_plane\\..*',
	'server\\.(live|state|uptime|dynamic_unknown_fields)',
	'cluster_manager\\..*',
	'listener_manager\\..*',
]

/**
 * Each regex takes a whole name. A cluster's own name has no dot, so `[^.]+` leaves out what Envoy counts a second time
 * under `external.` and `zone.`. With several ingress ports App Mesh's prefix is `ingress.http2.80`.
 */
export function statsMatcher(): object {
	const patterns = [
		`cluster\\.[^.]+\\.(${ofCluster.join('|')})`,
		`http\\.(egress|ingress)(\\.(http|http2|grpc)\\.[0-9]+)?\\.(${ofConnectionManager.join('|')})`,
		`(${ofProxy.join('|')})`,
	]
	return { inclusion_list: { patterns: patterns.map((regex) => ({ safe_regex: { regex } })) } }
}
