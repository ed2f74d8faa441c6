import { identityPath } from '#compile/compiled.ts'
import type { BootstrapOptions, HostPort } from './bootstrap-options.ts'
import { controlPlaneCluster, streamToControlPlane } from './control-plane-cluster.ts'
import { nodeMetadata } from './node-metadata.ts'
import { adminCluster, prometheusListener } from './prometheus.ts'
import { sdsCluster } from './sds-cluster.ts'
import { socketAddress } from './socket-address.ts'
import { statsConfig } from './stats-config.ts'
import { statsSinks } from './stats-sinks.ts'

const fetchTimeout = '15s'
/** More than any expression that a mesh may hold (`mesh/check-regex.ts`): Envoy's own bound is 100. */
const regexProgramSize = 100_000

/**
 * The file that Envoy is started with: who it is, where the daemon is, and what it counts. Everything else comes over
 * xDS. Keys are written as in Envoy's own documentation; nothing deprecated is in it.
 */
export function makeBootstrap(options: BootstrapOptions): object {
	return {
		node: nodeOf(options),
		admin: { address: socketAddress(options.admin) },
		dynamic_resources: dynamicResources(),
		static_resources: staticResources(options),
		stats_flush_interval: '1s',
		stats_sinks: statsSinks(options.stats),
		stats_config: statsConfig(options),
		...(options.dnsResolver === null ? {} : { typed_dns_resolver_config: dnsResolver(options.dnsResolver) }),
		layered_runtime: {
			layers: [{ name: 'sluice', static_layer: { 're2.max_program_size.error_level': regexProgramSize } }],
		},
		overload_manager: { resource_monitors: [connectionLimit(options.maxDownstreamConnections)] },
	}
}

function nodeOf(options: BootstrapOptions): object {
	const { identity, locality } = options
	return {
		id: identityPath(identity),
		cluster: identity.name,
		...(locality === null ? {} : { locality: { region: locality.region, zone: locality.zone } }),
		metadata: { sluice: nodeMetadata(options) },
	}
}

/** What must be there without the daemon: the way to it, to secrets beside the proxy, and Prometheus's way in. */
function staticResources(options: BootstrapOptions): object {
	const { sdsSocket, stats, admin } = options
	const prometheus = stats?.prometheus ?? null
	const clusters = [
		controlPlaneCluster(options),
		...(sdsSocket === undefined ? [] : [sdsCluster(sdsSocket)]),
		...(prometheus === null ? [] : [adminCluster(admin)]),
	]
	return { clusters, ...(prometheus === null ? {} : { listeners: [prometheusListener(prometheus)] }) }
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
