import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { FilterConfigSchema as GrpcStatsSchema } from '#proto/gen/envoy/extensions/filters/http/grpc_stats/v3/config_pb.ts'
import { RouterSchema } from '#proto/gen/envoy/extensions/filters/http/router/v3/router_pb.ts'
import {
	HttpConnectionManager_CodecType,
	HttpConnectionManager_PathWithEscapedSlashesAction,
	HttpConnectionManagerSchema,
} from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { adsSource } from '../proto/ads-source.ts'
import { packAny } from '../proto/any.ts'
import { accessLogs } from './access-log.ts'
import type { ListenerSettings } from './listener-settings.ts'
import { tracing } from './tracing.ts'

export type ConnectionManagerParameters = {
	/** First part of its statistics' names: `egress`, `ingress`, or with several ports `ingress.http2.80`. */
	readonly statPrefix: string
	readonly routesName: string
	readonly settings: ListenerSettings
}

/** HTTP/1, HTTP/2 with prior knowledge and WebSocket on one port; paths are made plain before routes see them. */
export function connectionManager(parameters: ConnectionManagerParameters): MessageInitShape<typeof FilterSchema> {
	const { statPrefix, routesName, settings } = parameters
	const traces = tracing(settings)
	const typedConfig = packAny(HttpConnectionManagerSchema, {
		codecType: HttpConnectionManager_CodecType.AUTO,
		statPrefix,
		routeSpecifier: { case: 'rds', value: { routeConfigName: routesName, configSource: adsSource() } },
		upgradeConfigs: [{ upgradeType: 'websocket' }],
		normalizePath: true,
		mergeSlashes: true,
		pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.KEEP_UNCHANGED,
		accessLog: accessLogs(settings.accessLog),
		...(traces === undefined ? {} : { tracing: traces }),
		httpFilters: [grpcStatsFilter(), routerFilter()],
	})
	const name = 'envoy.filters.network.http_connection_manager'
	return { name, configType: { case: 'typedConfig', value: typedConfig } }
}

/** Counts what gRPC calls end with on the cluster that took them: HTTP's own status is 200 whatever went wrong. */
function grpcStatsFilter() {
	return httpFilter('envoy.filters.http.grpc_stats', GrpcStatsSchema, {
		perMethodStatSpecifier: { case: 'statsForAllMethods', value: { value: false } },
		enableUpstreamStats: true,
	})
}

/** Always the last HTTP filter. */
function routerFilter() {
	return httpFilter('envoy.filters.http.router', RouterSchema, {})
}

function httpFilter<Desc extends DescMessage>(name: string, schema: Desc, init: MessageInitShape<Desc>) {
	return { name, configType: { case: 'typedConfig', value: packAny(schema, init) } } as const
}
