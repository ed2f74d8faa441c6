import { Server, ServerCredentials, type ServerDuplexStream, status as statusCodes } from '@grpc/grpc-js'
import type { CallStatus, GrpcService } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { afterTurns, turnsToReset } from './after-turns.ts'
import type { CallWire, GrpcEngine, OpenService } from './grpc-engine.ts'

// gRPC by grpc-js, as raw bytes. It says of a call nothing but its peer's address, by which the connection is found.

type Call = ServerDuplexStream<Uint8Array, Uint8Array>

export function createGrpcJsEngine(services: readonly GrpcService[]): GrpcEngine {
	/** By the peer of the connection. */
	const opens = new Map<string, OpenService>()
	const grpc = new Server({
		'grpc.max_receive_message_length': limits.xdsMessageBytes,
		'grpc.max_concurrent_streams': limits.xdsStreamsPerConnection,
		'grpc.keepalive_time_ms': limits.xdsKeepaliveMs,
		'grpc.keepalive_timeout_ms': limits.xdsKeepaliveTimeoutMs,
		'grpc.enable_channelz': 0,
	})
	for (const service of services) addService(service)
	const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())

	function addService(service: GrpcService): void {
		const definition = {
			path: service.path,
			requestStream: true,
			responseStream: true,
			requestSerialize: toBuffer,
			requestDeserialize: identity,
			responseSerialize: toBuffer,
			responseDeserialize: identity,
		} as const
		grpc.addService({ call: definition }, { call: (call: Call) => begin(service, call) })
	}

	function begin(service: GrpcService, call: Call): void {
		const open = opens.get(call.getPeer())
		if (open === undefined) return void call.destroy()
		const own = open(service, wireOf(call))
		call.on('data', (message: Uint8Array) => own.receive(message))
		call.on('end', () => afterTurns(turnsToReset, own.halfClosed))
		// grpc-js ends a call by itself for a message that is too large or no gRPC message at all.
		for (const event of ['cancelled', 'error', 'close'] as const) call.on(event, own.cancelled)
	}

	return {
		serve({ peer }, socket, open) {
			opens.set(peer, open)
			socket.once('close', () => opens.delete(peer))
			injector.injectConnection(socket)
		},
		retire() {},
		stop() {
			injector.destroy()
			grpc.forceShutdown()
		},
	}
}

function wireOf(call: Call): CallWire {
	const [authorization] = call.metadata.get('authorization')
	return {
		authorization: typeof authorization === 'string' ? authorization : null,
		write(message, written) {
			call.write(message, (error?: Error | null) => {
				if (!error) written()
			})
		},
		end: (status) => endCall(call, status),
	}
}

function endCall(call: Call, { code, message }: CallStatus): void {
	if (code === 'OK') return void call.end()
	call.emit('error', Object.assign(new Error(message), { code: statusCodes[code], details: message }))
}

function identity(bytes: Buffer): Buffer {
	return bytes
}

/** A view, not a copy. */
function toBuffer(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
