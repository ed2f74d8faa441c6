const extension = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** That a cluster is spoken to in HTTP/2, as gRPC needs it; `http2` are its options. Each call goes through the filters. */
export function http2Protocol(http2: object, filters: readonly object[] = []): object {
	return {
		[extension]: {
			'@type': `type.googleapis.com/${extension}`,
			explicit_http_config: { http2_protocol_options: http2 },
			...(filters.length === 0 ? {} : { http_filters: filters }),
		},
	}
}
