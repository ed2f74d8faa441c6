import type { Socket } from 'node:net'
import type { CallStatus, Connection, GrpcService } from '#base/grpc-service.ts'

// What lies between a socket and the services: HTTP/2 and gRPC. There are two that do it, and nobody else knows which.

export type GrpcEngine = {
	/** From here on the socket is the engine's. That it closed is seen at the socket. `open` is called for each call. */
	serve(connection: Connection, socket: Socket, open: OpenService): void
	/** Tells the peer to begin its next calls on another connection, and closes this one when its last call has ended. */
	retire(connection: Connection): void
	/** To be called when all sockets are closed. */
	stop(): void
}

export type OpenService = (service: GrpcService, wire: CallWire) => OpenCall

/** The engine's end of a call. */
export type CallWire = {
	/** As in `ServiceCall`. */
	readonly authorization: string | null
	/** `written` is called once the message has been passed on, also after the call has ended. */
	write(message: Uint8Array, written: () => void): void
	/** Called once, and nothing is written after it. */
	end(status: CallStatus): void
}

/** What the engine tells of a call. Once it has ended, whatever is told has no effect. */
export type OpenCall = {
	receive(message: Uint8Array): void
	/** The peer has nothing more to send: ends the call with OK. */
	halfClosed(): void
	/** The peer, the engine or the connection has ended it. */
	cancelled(): void
}
