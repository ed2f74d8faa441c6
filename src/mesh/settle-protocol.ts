// What a route speaks. App Mesh says that the type of a route must be the protocol of its router (or gateway), does not
// enforce it, and leaves open what happens else. Here: what Envoy can carry is read and warned of, the rest is refused.
import type { DeclaredListener } from './declared.ts'
import type { Protocol } from './route-spec.ts'

export type SettledProtocol =
	| { readonly kind: 'as written'; readonly protocol: Protocol }
	/** `listener` is what is spoken there instead. */
	| { readonly kind: 'bridged'; readonly protocol: Protocol; readonly listener: Protocol }
	| { readonly kind: 'impossible'; readonly protocol: Protocol; readonly spoken: readonly Protocol[] }

/** For each type of route: the listeners that can carry it too, the best first, and what it is read as there. */
const bridges: Readonly<Record<Protocol, readonly { readonly listener: Protocol; readonly readAs: Protocol }[]>> = {
	http: [
		{ listener: 'http2', readAs: 'http2' },
		{ listener: 'grpc', readAs: 'http2' },
	],
	http2: [
		{ listener: 'http', readAs: 'http' },
		{ listener: 'grpc', readAs: 'http2' },
	],
	// gRPC needs HTTP/2.
	grpc: [{ listener: 'http2', readAs: 'grpc' }],
	// A connection is either taken apart into requests or not.
	tcp: [],
}

/** `listeners`: those that the route may belong to. Where there are none, what is written holds. */
export function settleProtocol(written: Protocol, listeners: readonly DeclaredListener[]): SettledProtocol {
	if (listeners.length === 0 || listeners.some(({ protocol }) => protocol === written)) {
		return { kind: 'as written', protocol: written }
	}
	for (const { listener, readAs } of bridges[written]) {
		if (listeners.some(({ protocol }) => protocol === listener)) return { kind: 'bridged', protocol: readAs, listener }
	}
	return { kind: 'impossible', protocol: written, spoken: [...new Set(listeners.map(({ protocol }) => protocol))] }
}
