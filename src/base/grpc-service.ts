import { limits } from './limits.ts'

// A port: a gRPC method whose messages are raw bytes. Whoever implements one knows nothing of the transport below it.

/** One transport connection. Its streams share it; `id` is never used twice. */
export type Connection = {
	readonly id: number
	/** Address and port, as `10.0.0.7:41234`. */
	readonly peer: string
	/** URIs that the peer's certificate is for, which it has proven to have; null: it has shown none, and did not have to. */
	readonly certificateUris: readonly string[] | null
}

/** The peer without its port: the same when it comes again. */
export function addressOf({ peer }: Connection): string {
	return peer.replace(/:[0-9]+$/, '')
}

/** How a call ends, by the names of gRPC's status codes. */
export type CallStatus = {
	readonly code:
		| 'OK'
		| 'INVALID_ARGUMENT'
		| 'NOT_FOUND'
		| 'UNAUTHENTICATED'
		| 'PERMISSION_DENIED'
		| 'RESOURCE_EXHAUSTED'
		| 'UNAVAILABLE'
		| 'DEADLINE_EXCEEDED'
	readonly message: string
}

/** For a call of which nothing came: whoever opens one has something to say at once. */
export const silentStatus: CallStatus = {
	code: 'UNAVAILABLE',
	message: `nothing was said for ${limits.xdsSilentMs / 1000} s`,
}

/** What a call tells of who makes it. */
export type Caller = {
	readonly connection: Connection
	/** The call's `authorization` metadata; null without one. A secret: it goes into no log and no status. */
	readonly authorization: string | null
}

/** The server's end of one call. After `end` nothing is sent and nothing arrives. */
export type ServiceCall = Caller & {
	/** `flushed` is called once the transport has passed the message on; never when the call ends before. */
	send(message: Uint8Array, flushed: () => void): void
	end(status: CallStatus): void
}

/** What a service does with one call. `closed` is called exactly once, unless the service itself ended the call. */
export type CallHandler = {
	/** The bytes are the transport's again once this returns: what is to be kept of them is copied. */
	receive(message: Uint8Array): void
	/** `halfClosed`: the peer said that it has nothing more to send. `cancelled`: it, or the connection, went away. */
	closed(how: 'halfClosed' | 'cancelled'): void
}

export type GrpcService = {
	/** E.g. `/envoy.service.metrics.v3.MetricsService/StreamMetrics`. */
	readonly path: string
	open(call: ServiceCall): CallHandler
}
