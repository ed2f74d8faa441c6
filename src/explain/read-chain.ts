import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FilterChain } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import {
	type HttpConnectionManager,
	HttpConnectionManagerSchema,
} from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { type TcpProxy, TcpProxySchema } from '#proto/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts'

/** What a filter chain does with a connection; `nothing`: Envoy closes it. */
export type ReadChain =
	| { readonly kind: 'http'; readonly manager: HttpConnectionManager; readonly isTls: boolean }
	| { readonly kind: 'tcp'; readonly proxy: TcpProxy }
	| { readonly kind: 'nothing' }

const read = new WeakMap<FilterChain, ReadChain>()

/** Unpacked once a chain. */
export function readChain(chain: FilterChain): ReadChain {
	const known = read.get(chain) ?? readFilters(chain)
	read.set(chain, known)
	return known
}

function readFilters({ filters, transportSocket }: FilterChain): ReadChain {
	for (const { configType } of filters) {
		if (configType.case !== 'typedConfig') continue
		const manager = unpack(configType.value, HttpConnectionManagerSchema)
		if (manager !== null) return { kind: 'http', manager, isTls: transportSocket !== undefined }
		const proxy = unpack(configType.value, TcpProxySchema)
		if (proxy !== null) return { kind: 'tcp', proxy }
	}
	return { kind: 'nothing' }
}

function unpack<Desc extends DescMessage>(packed: Any, schema: Desc): MessageShape<Desc> | null {
	return anyUnpack(packed, schema) ?? null
}
