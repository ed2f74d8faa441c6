import type { ProxyIdentity } from '#compile/compiled.ts'
import type { Address } from '#proto/gen/envoy/config/core/v3/address_pb.ts'
import { TrafficDirection } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Listener } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import type { Configuration } from './configuration.ts'
import type { AskedRequest, KnownPort } from './explained.ts'
import { readChain } from './read-chain.ts'

// Where a request comes into a proxy: a node's application calls out by its egress, the outside comes in by a gateway's
// listeners.

export type Entry = {
	readonly listener: Listener
	/** That the filter chain is chosen by. */
	readonly port: number
	readonly note: string | null
}

/** Null: no listener takes it. */
export function findEntry(
	{ listeners }: Configuration,
	kind: ProxyIdentity['kind'],
	request: AskedRequest,
): Entry | null {
	return kind === 'virtualNode' ? findEgress(listeners, request) : findGatewayEntry(listeners, request)
}

/** Redirected connections keep the port that was dialled; otherwise the application dials the proxy itself. */
function findEgress(all: readonly Listener[], { port }: AskedRequest): Entry | null {
	const listeners = all.filter(({ trafficDirection }) => trafficDirection === TrafficDirection.OUTBOUND)
	const redirected = listeners.find(isRedirected)
	if (redirected !== undefined) return { listener: redirected, port, note: null }
	const dialled = listeners.find((listener) => portsOf(listener).includes(port) && speaks(listener, 'tcp'))
	if (dialled !== undefined) return { listener: dialled, port, note: null }
	const http = listeners.find((listener) => speaks(listener, 'http'))
	const [bound] = http === undefined ? [] : portsOf(http)
	return http === undefined || bound === undefined ? null : { listener: http, port: bound, note: null }
}

/** Something in front of a gateway may have another port than the gateway's own. */
function findGatewayEntry(all: readonly Listener[], { port, portIs }: AskedRequest): Entry | null {
	const listeners = all.filter(({ trafficDirection }) => trafficDirection === TrafficDirection.INBOUND)
	const listening = listeners.find((listener) => portsOf(listener).includes(port))
	if (listening !== undefined) return { listener: listening, port, note: null }
	const [only, ...others] = listeners
	const [first, ...more] = only === undefined ? [] : portsOf(only)
	if (only === undefined || first === undefined || others.length + more.length > 0 || portIs === 'written') return null
	return { listener: only, port: first, note: `the gateway listens on ${first}, not ${port}: taken to be meant` }
}

/** Another listener of the same proxy that listens at an address, which a gateway sends to itself by. */
export function findListenerAt({ listeners }: Configuration, address: Address | undefined): Entry | null {
	const wanted = address?.address
	if (wanted?.case !== 'socketAddress' || wanted.value.portSpecifier.case !== 'portValue') return null
	const { value: port } = wanted.value.portSpecifier
	const ip = wanted.value.address
	const listener = listeners.find((each) => addressesOf(each).some((bound) => bound.ip === ip && bound.port === port))
	return listener === undefined ? null : { listener, port, note: null }
}

/** Ports that something listens on, or that redirected connections are known by. */
export function knownPorts({ listeners }: Configuration, kind: ProxyIdentity['kind']): KnownPort[] {
	const direction = kind === 'virtualNode' ? TrafficDirection.OUTBOUND : TrafficDirection.INBOUND
	const ports = listeners
		.filter(({ trafficDirection }) => trafficDirection === direction)
		.flatMap((listener) =>
			listener.filterChains.flatMap((chain) => {
				const protocol = readChain(chain).kind === 'http' ? ('http' as const) : ('tcp' as const)
				const { destinationPort, serverNames = [] } = chain.filterChainMatch ?? {}
				const bound = destinationPort === undefined ? portsOf(listener) : [destinationPort]
				return bound.map((port) => ({ port, protocol, serverNames }))
			}),
		)
	const unique = new Map(ports.map((each) => [JSON.stringify(each), each]))
	return [...unique.values()].sort((left, right) => left.port - right.port)
}

function speaks(listener: Listener, protocol: 'http' | 'tcp'): boolean {
	return listener.filterChains.some((chain) => readChain(chain).kind === protocol)
}

function isRedirected({ listenerFilters }: Listener): boolean {
	return listenerFilters.some(({ name }) => name === 'envoy.filters.listener.original_dst')
}

function portsOf(listener: Listener): number[] {
	return addressesOf(listener).map(({ port }) => port)
}

function addressesOf({ address, additionalAddresses }: Listener): { ip: string; port: number }[] {
	return [address, ...additionalAddresses.map((additional) => additional.address)].flatMap((each) => {
		if (each?.address.case !== 'socketAddress') return []
		const { address: ip, portSpecifier } = each.address.value
		return portSpecifier.case === 'portValue' ? [{ ip, port: portSpecifier.value }] : []
	})
}
