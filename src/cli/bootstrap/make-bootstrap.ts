import { identityPath } from '#compile/compiled.ts'
import type { BootstrapOptions, HostPort } from './bootstrap-options.ts'
import { controlPlaneCluster, controlPlaneClusterName } from './control-plane-cluster.ts'
import { nodeMetadata } from './node-metadata.ts'
import { statsMatcher } from './stats-matcher.ts'

const fetchTimeout = '15s'
const regexProgramSize = 1000

/**
 * The file that Envoy is started with: who it is, where the daemon is, and what it counts. Everything else comes over
 * xDS. Keys are written as in Envoy's own documentation; nothing deprecated is in it.
 */
export function makeBootstrap(options: BootstrapOptions): object {
	return {
		node: nodeOf(options),
		admin: { address: socketAddress(options.admin) },
		dynamic_resources: dynamicResources(),
		static_resources: { clusters: [controlPlaneCluster(options.controlPlane)] },
		stats_flush_interval: '1s',
		stats_sinks: [metricsSink()],
		stats_config: {
			stats_matcher: statsMatcher(),
			histogram_bucket_settings: [
				{ match: { suffix: '_time' }, buckets: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] },
			],
		},
		...(options.dnsResolver === null ? {} : { typed_dns_resolver_config: dnsResolver(options.dnsResolver) }),
		layered_runtime: {
			layers: [{ name: 'sluice', static_layer: { 're2.max_program_size.error_level': regexProgramSize } }],
		},
		overload_manager: { resource_monitors: [connectionLimit(options.maxDownstreamConnections)] },
	}
}

function nodeOf({ identity, instance, capture, locality }: BootstrapOptions): object {
	return {
		id: identityPath(identity),
		cluster: identity.name,
		...(locality === null ? {} : { locality: { region: locality.region, zone: locality.zone } }),
		metadata: { sluice: nodeMetadata(instance, capture) },
	}
}

/** `initial_fetch_timeout`: so long a starting Envoy waits for the daemon before it goes on without listeners. */
function dynamicResources(): object {
	const source = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: fetchTimeout }
	return {
		ads_config: {
			api_type: 'DELTA_GRPC',
			transport_api_version: 'V3',
			// The node message is about 60 KB, nearly all of it names of extensions.
			set_node_on_first_message_only: true,
			grpc_services: [{ envoy_grpc: streamToControlPlane() }],
		},
		cds_config: source,
		lds_config: source,
	}
}

/** The retry policy only has effect inside `envoy_grpc`; without it Envoy may wait 30 s before it comes back. */
function streamToControlPlane(): object {
	const backOff = { base_interval: '0.1s', max_interval: '1s' }
	return { cluster_name: controlPlaneClusterName, authority: 'sluice', retry_policy: { retry_back_off: backOff } }
}

/** Cumulative counters: a lost flush loses nothing, and a daemon that comes back reads on. */
function metricsSink(): object {
	return {
		name: 'envoy.stat_sinks.metrics_service',
		typed_config: {
			'@type': 'type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig',
			transport_api_version: 'V3',
			grpc_service: { envoy_grpc: streamToControlPlane() },
			report_counters_as_deltas: false,
			emit_tags_as_labels: true,
			histogram_emit_mode: 'HISTOGRAM',
		},
	}
}

function dnsResolver(server: HostPort): object {
	return {
		name: 'envoy.network.dns_resolver.cares',
		typed_config: {
			'@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
			resolvers: [socketAddress(server)],
			dns_resolver_options: { no_default_search_domain: true },
		},
	}
}

function connectionLimit(most: number): object {
	return {
		name: 'envoy.resource_monitors.global_downstream_max_connections',
		typed_config: {
			'@type':
				'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
			max_active_downstream_connections: most,
		},
	}
}

function socketAddress({ address, port }: HostPort): object {
	return { socket_address: { address, port_value: port } }
}
