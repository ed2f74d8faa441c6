import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
	ListenerFilterChainMatchPredicateSchema,
	ListenerFilterSchema,
} from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import { TlsInspectorSchema } from '#proto/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts'
import { packAny } from '../proto/any.ts'

type Predicate = MessageInitShape<typeof ListenerFilterChainMatchPredicateSchema>

/**
 * Looks whether a connection begins with TLS, and at the name that it asks for; only on the dialled ports where that
 * decides something, none: no filter. It waits for the client's first bytes, and in a protocol in which the server
 * speaks first they do not come.
 */
export function tlsInspector(ports: readonly number[]): MessageInitShape<typeof ListenerFilterSchema>[] {
	if (ports.length === 0) return []
	const value = packAny(TlsInspectorSchema, {})
	const filterDisabled: Predicate = { rule: { case: 'notMatch', value: anyOf(ports.map(isPort)) } }
	return [{ name: 'envoy.filters.listener.tls_inspector', configType: { case: 'typedConfig', value }, filterDisabled }]
}

function isPort(port: number): Predicate {
	return { rule: { case: 'destinationPortRange', value: { start: port, end: port + 1 } } }
}

/** Envoy wants two rules at least where one of several is to match. */
function anyOf(rules: readonly Predicate[]): Predicate {
	const [first = {}, ...others] = rules
	return others.length === 0 ? first : { rule: { case: 'orMatch', value: { rules: [...rules] } } }
}
