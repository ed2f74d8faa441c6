import type { FilterChain, FilterChainMatch } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { Listener } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { lowerAscii } from './match/string-match.ts'

/** What is known of a connection before its first request. */
export type Connection = {
	readonly port: number
	/** The name that TLS asks for; null: the connection is plain. */
	readonly tlsName: string | null
}

/**
 * The filter chain for a connection, as Envoy chooses it: by the dialled port, then the name that TLS asks for, then
 * whether it is TLS; each time what says it exactly comes before what says nothing, and there is no way back. Null: none,
 * and the connection is closed. Addresses play no part: a chain that asks for some is never chosen here.
 */
export function chooseChain(listener: Listener, connection: Connection): FilterChain | null {
	const { port, tlsName } = connection
	const chains = listener.filterChains.filter(({ filterChainMatch }) => !asksForAddresses(filterChainMatch))
	const ofPort = mostExact(chains, [
		(match) => match?.destinationPort === port,
		(match) => match?.destinationPort === undefined,
	])
	const ofName = mostExact(ofPort, [...nameTests(tlsName), (match) => (match?.serverNames ?? []).length === 0])
	const ofTransport = mostExact(ofName, [
		(match) => match?.transportProtocol === (tlsName === null ? 'raw_buffer' : 'tls'),
		(match) => (match?.transportProtocol ?? '') === '',
	])
	return ofTransport[0] ?? listener.defaultFilterChain ?? null
}

type Test = (match: FilterChainMatch | undefined) => boolean

/** The chains that the first test takes which takes any. */
function mostExact(chains: readonly FilterChain[], tests: readonly Test[]): readonly FilterChain[] {
	for (const test of tests) {
		const taken = chains.filter(({ filterChainMatch }) => test(filterChainMatch))
		if (taken.length > 0) return taken
	}
	return []
}

/** For `a.b.c`: the name itself, then `*.b.c`, then `*.c`. */
function nameTests(tlsName: string | null): Test[] {
	if (tlsName === null) return []
	const labels = lowerAscii(tlsName).split('.')
	const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)
	return [labels.join('.'), ...wildcards].map((name) => (match) => match?.serverNames.includes(name) === true)
}

function asksForAddresses(match: FilterChainMatch | undefined): boolean {
	return match !== undefined && (match.prefixRanges.length > 0 || match.sourcePrefixRanges.length > 0)
}
