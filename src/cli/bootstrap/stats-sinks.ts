import { unreachable } from '#base/assert.ts'
import type { StatsSettings } from '#mesh/proxy-spec.ts'
import { streamToControlPlane } from './control-plane-cluster.ts'
import { socketAddress } from './socket-address.ts'

const metrics = 'type.googleapis.com/envoy.config.metrics.v3'

/** Who Envoy pushes its statistics to, once a flush interval: the daemon always. All get the same ones. */
export function statsSinks(stats: StatsSettings | undefined): object[] {
	const statsd = stats?.statsd ?? null
	return statsd === null ? [controlPlaneSink()] : [controlPlaneSink(), statsdSink(statsd)]
}

/** Cumulative counters: a lost flush loses nothing, and a daemon that comes back reads on. */
function controlPlaneSink(): object {
	return {
		name: 'envoy.stat_sinks.metrics_service',
		typed_config: {
			'@type': `${metrics}.MetricsServiceConfig`,
			transport_api_version: 'V3',
			grpc_service: { envoy_grpc: streamToControlPlane() },
			report_counters_as_deltas: false,
			emit_tags_as_labels: true,
			histogram_emit_mode: 'HISTOGRAM',
		},
	}
}

/** Counters as increments, over UDP; DogStatsD's form has tags, the plain one has their values in the names. */
function statsdSink({ address, port, prefix, format }: NonNullable<StatsSettings['statsd']>): object {
	const config = { address: socketAddress({ address, port }), ...(prefix === null ? {} : { prefix }) }
	switch (format) {
		case 'statsd':
			return { name: 'envoy.stat_sinks.statsd', typed_config: { '@type': `${metrics}.StatsdSink`, ...config } }
		case 'dogstatsd':
			return {
				name: 'envoy.stat_sinks.dog_statsd',
				typed_config: { '@type': `${metrics}.DogStatsdSink`, ...config },
			}
		default:
			return unreachable(format)
	}
}
