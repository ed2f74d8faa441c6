import type { CallStatus, Connection, GrpcService } from '#base/grpc-service.ts'
import type { CallWire, OpenCall } from './grpc-engine.ts'

export type OpenCallOptions = {
	readonly service: GrpcService
	readonly connection: Connection
	readonly wire: CallWire
	/** Called once, however the call ended; with a status when it was ended from here. */
	readonly ended: (status: CallStatus | null) => void
}

/** A call that the service did not end can be ended by who owns its connection. */
export type EndableCall = OpenCall & { end(status: CallStatus): void }

/** One call between its service and the engine below it: each hears of its end once, and nothing after that. */
export function createOpenCall({ service, connection, wire, ended }: OpenCallOptions): EndableCall {
	let isOpen = true
	const handler = service.open({
		connection,
		authorization: wire.authorization,
		send(message, flushed) {
			if (isOpen) wire.write(message, () => isOpen && flushed())
		},
		end(status) {
			if (!isOpen) return
			isOpen = false
			wire.end(status)
			ended(status)
		},
	})

	function close(how: 'halfClosed' | 'cancelled', status: CallStatus | null): void {
		if (!isOpen) return
		isOpen = false
		handler.closed(how)
		if (status !== null) wire.end(status)
		ended(status)
	}

	return {
		receive(message) {
			if (isOpen) handler.receive(message)
		},
		halfClosed: () => close('halfClosed', { code: 'OK', message: '' }),
		cancelled: () => close('cancelled', null),
		end: (status) => close('cancelled', status),
	}
}
