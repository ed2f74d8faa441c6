import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import type { Discovered } from '#discovery/discovered.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { ListenerTls } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type {
	FilterChainMatchSchema,
	FilterChainSchema,
	FilterSchema,
} from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { SecretSource } from '../compiled.ts'
import { type DownstreamTls, downstreamTls } from '../tls/downstream-tls.ts'
import { type SecretUse, secretUseKey } from '../tls/secret-use.ts'

type FilterChainInit = MessageInitShape<typeof FilterChainSchema>
type FilterChainMatchInit = MessageInitShape<typeof FilterChainMatchSchema>
type FilterInit = MessageInitShape<typeof FilterSchema>

/** What a port's connections may be: plain, TLS, or either. */
export type PortTls =
	| { readonly kind: 'plain' }
	| {
			readonly kind: 'tls'
			readonly mode: 'STRICT' | 'PERMISSIVE'
			readonly downstream: DownstreamTls
			/** Everything that `downstream` was made of, as plain data. */
			readonly key: unknown
	  }

export type TlsContext = {
	readonly secrets: SecretSource
	readonly discovered: Discovered
	readonly madeOf: readonly ResourceId[]
}

export function portTls(
	{ tls, protocol, port }: { readonly tls: ListenerTls | null; readonly protocol: Protocol; readonly port: number },
	context: TlsContext,
): PortTls {
	if (tls === null || tls.mode === 'DISABLED') return { kind: 'plain' }
	const downstream = downstreamTls(tls, { ...context, protocol, port })
	return { kind: 'tls', mode: tls.mode, downstream, key: { tls, protocol, uses: secretUseKey(downstream.uses) } }
}

export function secretUsesOfPort(tls: PortTls): readonly SecretUse[] {
	return tls.kind === 'plain' ? [] : tls.downstream.uses
}

export function portTlsKey(tls: PortTls): unknown {
	return tls.kind === 'plain' ? null : tls.key
}

/** Whether it takes a look at a connection's first bytes to know which chain it is for. */
export function needsInspection(tls: PortTls): boolean {
	return tls.kind === 'tls' && tls.mode === 'PERMISSIVE'
}

/** The chains of a port: one, or for PERMISSIVE one for TLS and one for what is not. `match` null: every connection. */
export function portChains(
	match: FilterChainMatchInit | null,
	tls: PortTls,
	filters: readonly FilterInit[],
): FilterChainInit[] {
	const matched = match === null ? {} : { filterChainMatch: match }
	if (tls.kind === 'plain') return [{ ...matched, filters: [...filters] }]
	const { transportSocket } = tls.downstream
	switch (tls.mode) {
		case 'STRICT':
			return [{ ...matched, filters: [...filters], transportSocket }]
		case 'PERMISSIVE':
			return [
				{ filterChainMatch: { ...match, transportProtocol: 'tls' }, filters: [...filters], transportSocket },
				{ filterChainMatch: { ...match, transportProtocol: 'raw_buffer' }, filters: [...filters] },
			]
		default:
			return unreachable(tls.mode)
	}
}
