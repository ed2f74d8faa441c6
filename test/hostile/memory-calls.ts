// Calls without a transport: what one side sends is at the other before the call returns. For tests in which messages are
// many and a socket would cost more than all that is tested.

import type { CallHandler, CallStatus, Connection, GrpcService } from '#base/grpc-service.ts'

export type MemoryConnection = {
	readonly connection: Connection
	/** Calls that are open. */
	readonly calls: ReadonlySet<MemoryCall>
	open(path: string, told: Told): MemoryCall
	close(): void
}

export type MemoryCall = {
	readonly path: string
	/** Null while it is open. */
	readonly ended: CallStatus | null
	send(message: Uint8Array): void
	close(how: 'halfClosed' | 'cancelled'): void
}

export type Told = {
	/** `flushed` may be called then, later, or never: how fast the peer reads. */
	readonly onMessage: (message: Uint8Array, flushed: () => void) => void
	readonly onEnd?: (status: CallStatus) => void
}

export type MemoryPeers = { connect(): MemoryConnection }

export function connectInMemory(
	services: readonly GrpcService[],
	onDisconnect: (connection: Connection) => void,
): MemoryPeers {
	const byPath = new Map(services.map((service) => [service.path, service]))
	let connections = 0

	function openCall(connection: Connection, path: string, { onMessage, onEnd }: Told, left: () => void): MemoryCall {
		let ended: CallStatus | null = null
		function end(status: CallStatus): void {
			ended = status
			left()
		}
		const service = byPath.get(path)
		if (service === undefined) throw new Error(`no service ${path}`)
		const handler: CallHandler = service.open({
			connection,
			authorization: null,
			send(message, flushed) {
				if (ended === null) onMessage(message, () => ended === null && flushed())
			},
			end(status) {
				if (ended !== null) return
				end(status)
				onEnd?.(status)
			},
		})
		return {
			path,
			get ended() {
				return ended
			},
			send(message) {
				if (ended === null) handler.receive(message)
			},
			close(how) {
				if (ended !== null) return
				end({ code: 'OK', message: how })
				handler.closed(how)
			},
		}
	}

	return {
		connect() {
			connections += 1
			const connection = { id: connections, peer: `127.0.0.1:${connections}`, certificateUris: null }
			const calls = new Set<MemoryCall>()
			return {
				connection,
				calls,
				open(path, told) {
					const call: MemoryCall = openCall(connection, path, told, () => calls.delete(call))
					if (call.ended === null) calls.add(call)
					return call
				},
				close() {
					for (const call of [...calls]) call.close('cancelled')
					onDisconnect(connection)
				},
			}
		},
	}
}
