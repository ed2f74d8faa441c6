import type { MessageInitShape } from '@bufbuild/protobuf'
import { type ResourceId, resourceId } from '#mesh/mesh.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { FilterChainSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { Caller } from '../caller-of.ts'
import type { CompiledResource } from '../compiled.ts'
import type { EgressTable } from '../egress-table.ts'
import { egressListenerName, tcpEgressListenerName } from '../names.ts'
import type { CapturePoint } from './capture-point.ts'
import { compiledListener } from './compiled-listener.ts'
import { connectionManager } from './connection-manager.ts'
import type { ListenerSettings } from './listener-settings.ts'
import { tcpProxy } from './tcp-proxy.ts'
import { type TcpWay, tcpFilters } from './tcp-way.ts'

type FilterChainInit = MessageInitShape<typeof FilterChainSchema>

/** What may be called that no virtual service speaks for. Plain data. */
export type Outside =
	| { readonly kind: 'nothing' }
	/** Whatever was dialled. */
	| { readonly kind: 'everything'; readonly cluster: string }
	/** AWS's own services, known by the name that TLS asks for. */
	| { readonly kind: 'amazonaws'; readonly cluster: string }

export type EgressListenerOptions = {
	readonly caller: Caller
	readonly point: CapturePoint
	readonly settings: ListenerSettings
	readonly tables: readonly EgressTable[]
	/** Intercepted TCP: chains beside those of HTTP. */
	readonly tcp: readonly TcpWay[]
	readonly outside: Outside
}

const httpsPort = 443
const amazonawsNames = ['*.amazonaws.com']

/** Where the application's own calls come out; null when there is nothing that it may call. */
export function compileEgressListener(options: EgressListenerOptions): CompiledResource | null {
	const { caller, point, settings, tables, tcp, outside } = options
	if (tables.length === 0 && tcp.length === 0 && outside.kind === 'nothing') return null
	const http = tables.map(({ name, hosts }) => ({
		routesName: name,
		port: point.kind === 'redirected' ? (hosts[0]?.port ?? null) : null,
	}))
	return compiledListener({
		name: egressListenerName,
		direction: TrafficDirection.OUTBOUND,
		point,
		settings,
		key: { http, tcp, outside },
		chains: () => [
			...http.map((table) => httpChain(table, settings)),
			...tcp.map((way) => ({
				filterChainMatch: { destinationPort: way.port },
				filters: tcpFilters(way, settings),
			})),
			...(outside.kind === 'amazonaws' ? [amazonawsChain(outside.cluster, settings)] : []),
		],
		...(outside.kind === 'everything' ? { defaultChain: () => ({ filters: passOn(outside.cluster, settings) }) } : {}),
		inspectedPorts: outside.kind === 'amazonaws' ? [httpsPort] : [],
		clusters: [
			...tcp.flatMap(({ weights }) => weights.map(({ cluster }) => cluster)),
			...(outside.kind === 'nothing' ? [] : [outside.cluster]),
		],
		routes: http.map(({ routesName }) => routesName),
		secrets: [],
		madeOf: [resourceId.mesh(caller.mesh), caller.id],
	})
}

type TcpListenerOptions = Pick<EgressListenerOptions, 'caller' | 'point' | 'settings'> & {
	/** The service and what answers for it. */
	readonly madeOf: readonly ResourceId[]
}

/** Explicit capture of one TCP backend: a step of its weights touches no other listener. */
export function compileTcpEgressListener(way: TcpWay, options: TcpListenerOptions): CompiledResource {
	const { caller, point, settings, madeOf } = options
	return compiledListener({
		name: tcpEgressListenerName(way.port),
		direction: TrafficDirection.OUTBOUND,
		point,
		settings,
		key: way,
		chains: () => [{ filters: tcpFilters(way, settings) }],
		inspectedPorts: [],
		clusters: way.weights.map(({ cluster }) => cluster),
		routes: [],
		secrets: [],
		madeOf: [resourceId.mesh(caller.mesh), caller.id, ...madeOf],
	})
}

function httpChain(
	{ routesName, port }: { readonly routesName: string; readonly port: number | null },
	settings: ListenerSettings,
): FilterChainInit {
	return {
		...(port === null ? {} : { filterChainMatch: { destinationPort: port } }),
		filters: [connectionManager({ statPrefix: 'egress', routesName, settings })],
	}
}

function amazonawsChain(cluster: string, settings: ListenerSettings): FilterChainInit {
	const filterChainMatch = { destinationPort: httpsPort, serverNames: amazonawsNames }
	return { filterChainMatch, filters: passOn(cluster, settings) }
}

/** Bytes as they are, to wherever they were going. */
function passOn(cluster: string, settings: ListenerSettings) {
	return [tcpProxy({ statPrefix: 'egress', to: { kind: 'cluster', cluster }, idleMs: null, settings })]
}
