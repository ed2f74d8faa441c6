import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { weighUpstream } from '../route/weighed-host.ts'
import type { ClusterWeight } from '../route/weights.ts'
import type { TcpEgress } from '../tcp-egress.ts'
import type { Upstream } from '../upstream.ts'
import type { ListenerSettings } from './listener-settings.ts'
import { tcpProxy } from './tcp-proxy.ts'

/** What the filter chain of a TCP backend is made from. Plain data. */
export type TcpWay = {
	readonly port: number
	/** All above 0; none: no route speaks for the port. */
	readonly weights: readonly ClusterWeight[]
	readonly idleMs: number | null
}

export function tcpWay(effective: EffectiveMesh, { port, upstream }: TcpEgress): TcpWay {
	const weights = weighUpstream(effective, upstream).flatMap((route) => route.weights)
	return { port, weights: weights.filter(({ weight }) => weight > 0), idleMs: idleMsOf(upstream) }
}

function idleMsOf(upstream: Upstream): number | null {
	if (upstream.kind === 'node') return upstream.timeout.idleMs
	return upstream.routes[0]?.spec.timeout.idleMs ?? null
}

/** The filters of its chain; without any, Envoy closes what comes. */
export function tcpFilters(
	{ weights, idleMs }: TcpWay,
	settings: ListenerSettings,
): MessageInitShape<typeof FilterSchema>[] {
	if (weights.length === 0) return []
	return [tcpProxy({ statPrefix: 'egress', to: { kind: 'weighted', weights }, idleMs, settings })]
}
