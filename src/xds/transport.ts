import type { Server as NetServer, Socket } from 'node:net'
import { Server, ServerCredentials, type ServerDuplexStream, status as statusCodes } from '@grpc/grpc-js'
import type { Clock } from '#base/clock.ts'
import type { CallStatus, Connection, GrpcService, ServiceCall } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { ServerCertificate } from './server-certificate.ts'
import { createSocketServer, type SocketServer } from './socket-server.ts'

// gRPC services of raw messages on one port, by grpc-js. The sockets are accepted here, TLS done, so that each call is known to
// belong to a transport connection, and a connection whose peer stopped reading can be cut.

export type ListenError = {
	readonly code: 'address-invalid' | 'address-in-use' | 'address-refused'
	readonly message: string
}

export type GrpcTransport = {
	/** `host:port`; port 0 takes a free one. */
	listen(address: string): Promise<Result<{ readonly port: number }, ListenError>>
	/** Only where it began with a certificate: what connections that begin from now on are shown. */
	secure: SocketServer['secure']
	/** Takes no more connections, and cuts those that are still open after `drainMs`. */
	close(drainMs: number): Promise<void>
}

export type GrpcTransportOptions = {
	readonly services: readonly GrpcService[]
	/** Null: without TLS. */
	readonly certificate: ServerCertificate | null
	readonly clock: Clock
	readonly log: Log
	readonly onDisconnect: (connection: Connection) => void
}

type Call = ServerDuplexStream<Uint8Array, Uint8Array>
type OpenConnection = Connection & { readonly socket: Socket }

export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
	const { certificate, clock, log } = options
	const connections = new Map<string, OpenConnection>()
	let connectionsSeen = 0
	let listener: NetServer | null = null
	const grpc = new Server({
		'grpc.max_receive_message_length': limits.xdsMessageBytes,
		'grpc.max_concurrent_streams': limits.xdsStreamsPerConnection,
		'grpc.keepalive_time_ms': limits.xdsKeepaliveMs,
		'grpc.keepalive_timeout_ms': limits.xdsKeepaliveTimeoutMs,
		'grpc.enable_channelz': 0,
	})
	for (const service of options.services) addService(service)
	const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())
	const sockets = createSocketServer({ certificate, clock, log, accept })

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
		grpc.addService({ call: definition }, { call: (call: Call) => openCall(service, call) })
	}

	function openCall(service: GrpcService, call: Call): void {
		const connection = connections.get(call.getPeer())
		if (connection === undefined) return void call.destroy()
		let isOpen = true
		const handler = service.open(serverEnd())
		call.on('data', (message: Uint8Array) => {
			if (isOpen) handler.receive(message)
		})
		call.on('end', () => {
			afterTurns(turnsToReset, () => {
				if (!isOpen) return
				isOpen = false
				handler.closed('halfClosed')
				call.end()
			})
		})
		// grpc-js ends a call by itself for a message that is too large or no gRPC message at all.
		for (const event of ['cancelled', 'error', 'close'] as const) {
			call.on(event, () => {
				if (!isOpen) return
				isOpen = false
				handler.closed('cancelled')
			})
		}

		function serverEnd(): ServiceCall {
			return {
				connection: connection as Connection,
				authorization: authorizationOf(call),
				send(message, flushed) {
					if (isOpen) call.write(message, (error?: Error | null) => !error && isOpen && flushed())
				},
				end(status) {
					if (!isOpen) return
					isOpen = false
					endCall(call, status)
					// Nothing that is sent now would arrive: only closing the connection frees what waits for it.
					if (status.code === 'DEADLINE_EXCEEDED') connection?.socket.destroy()
				},
			}
		}
	}

	function accept(socket: Socket, certificateUris: readonly string[] | null): void {
		const peer = `${socket.remoteAddress}:${socket.remotePort}`
		// A call says its peer alone. Where this machine has several addresses, somebody could come from the very port of
		// another proxy beside him, to another of them, and be taken for that.
		if (connections.has(peer)) {
			log.warn('xds.connection.refused', { peer, reason: 'there is one from the same address and port' })
			return void socket.destroy()
		}
		connectionsSeen += 1
		const connection: OpenConnection = { id: connectionsSeen, peer, certificateUris, socket }
		connections.set(peer, connection)
		socket.setNoDelay(true)
		socket.once('close', () => {
			connections.delete(peer)
			options.onDisconnect(connection)
		})
		injector.injectConnection(socket)
	}

	async function listen(address: string): Promise<Result<{ readonly port: number }, ListenError>> {
		const place = readAddress(address)
		if (place === null) {
			return fail({ code: 'address-invalid', message: `${address} is no host:port, e.g. 127.0.0.1:18000` })
		}
		const { server } = sockets
		listener = server
		return new Promise((resolve) => {
			server.once('error', (error: NodeJS.ErrnoException) => resolve(fail(listenError(address, error))))
			server.listen({ host: place.host, port: place.port, backlog: limits.xdsBacklog }, () => {
				server.removeAllListeners('error')
				server.on('error', (error) => log.error('xds.listener.failed', { message: error.message }))
				const bound = server.address()
				resolve(succeed({ port: typeof bound === 'object' && bound !== null ? bound.port : place.port }))
			})
		})
	}

	async function close(drainMs: number): Promise<void> {
		listener?.close()
		injector.drain(drainMs)
		const closed = [...connections.values()].map(
			({ socket }) => new Promise((resolve) => socket.once('close', resolve)),
		)
		const cut = setTimeout(() => {
			for (const { socket } of connections.values()) socket.destroy()
		}, drainMs)
		await Promise.all(closed)
		clearTimeout(cut)
		injector.destroy()
		grpc.forceShutdown()
	}

	return { listen, secure: (next) => sockets.secure(next), close }
}

/** A stream that its peer reset looks like one that it ended; that it was cancelled is said some turns of the loop later. */
const turnsToReset = 16

function afterTurns(turns: number, act: () => void): void {
	if (turns === 0) act()
	else setImmediate(() => afterTurns(turns - 1, act))
}

function endCall(call: Call, status: CallStatus): void {
	const { code, message } = status
	if (code === 'OK') return void call.end()
	call.emit('error', Object.assign(new Error(message), { code: statusCodes[code], details: message }))
}

function authorizationOf({ metadata }: Call): string | null {
	const [value] = metadata.get('authorization')
	return typeof value === 'string' ? value : null
}

function readAddress(address: string): { host: string; port: number } | null {
	const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(address) ?? []
	const host = bracketed ?? plain
	const port = Number(digits)
	return host === undefined || port > 65535 ? null : { host, port }
}

function listenError(address: string, error: NodeJS.ErrnoException): ListenError {
	if (error.code === 'EADDRINUSE') {
		const message = `${address} is in use: stop what listens there, or choose another address with --xds`
		return { code: 'address-in-use', message }
	}
	return {
		code: 'address-refused',
		message: `cannot listen on ${address} (${error.message}): choose another with --xds`,
	}
}

function identity(bytes: Buffer): Buffer {
	return bytes
}

/** A view, not a copy. */
function toBuffer(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
