import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { RouterSchema } from '#proto/gen/envoy/extensions/filters/http/router/v3/router_pb.ts'
import {
	HttpConnectionManager_CodecType,
	HttpConnectionManager_PathWithEscapedSlashesAction,
	HttpConnectionManagerSchema,
} from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { adsSource } from '../proto/ads-source.ts'
import { packAny } from '../proto/any.ts'

export type ConnectionManagerParameters = {
	/** First part of its statistics' names: `egress`, `ingress`, or with several ports `ingress.http2.80`. */
	readonly statPrefix: string
	readonly routesName: string
}

/** HTTP/1, HTTP/2 with prior knowledge and WebSocket on one port; paths are made plain before routes see them. */
export function connectionManager(parameters: ConnectionManagerParameters): MessageInitShape<typeof FilterSchema> {
	const { statPrefix, routesName } = parameters
	const typedConfig = packAny(HttpConnectionManagerSchema, {
		codecType: HttpConnectionManager_CodecType.AUTO,
		statPrefix,
		routeSpecifier: { case: 'rds', value: { routeConfigName: routesName, configSource: adsSource() } },
		upgradeConfigs: [{ upgradeType: 'websocket' }],
		normalizePath: true,
		mergeSlashes: true,
		pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.KEEP_UNCHANGED,
		httpFilters: [routerFilter()],
	})
	const name = 'envoy.filters.network.http_connection_manager'
	return { name, configType: { case: 'typedConfig', value: typedConfig } }
}

/** Always the last HTTP filter. */
function routerFilter() {
	const value = packAny(RouterSchema, {})
	return { name: 'envoy.filters.http.router', configType: { case: 'typedConfig', value } } as const
}
