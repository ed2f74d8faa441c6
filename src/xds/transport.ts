import type { Server as NetServer, Socket } from 'node:net'
import type { Clock, Timer } from '#base/clock.ts'
import type { Connection, GrpcService } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { EngineName } from '#base/xds-engine-name.ts'
import type { CallWire, OpenCall } from './grpc-engine.ts'
import { createGrpcJsEngine } from './grpc-js-engine.ts'
import { createHttp2Engine } from './http2-engine.ts'
import { createOpenCall, type EndableCall } from './open-call.ts'
import type { ServerCertificate } from './server-certificate.ts'
import { type Certified, createSocketServer, type SocketServer } from './socket-server.ts'

// gRPC services of raw messages on one port. The sockets are accepted here, TLS done, so that each call is known to
// belong to a transport connection, a connection whose peer stopped reading can be cut, and none is for ever.

export type ListenError = {
	readonly code: 'address-invalid' | 'address-in-use' | 'address-refused'
	readonly message: string
}

export type Transport = {
	/** `host:port`; port 0 takes a free one. */
	listen(address: string): Promise<Result<{ readonly port: number }, ListenError>>
	/** Only where it began with a certificate: what connections that begin from now on are shown. */
	secure: SocketServer['secure']
	/** Takes no more connections, and cuts those that are still open after `drainMs`. */
	close(drainMs: number): Promise<void>
}

export type TransportOptions = {
	readonly services: readonly GrpcService[]
	/** Null: without TLS. */
	readonly certificate: ServerCertificate | null
	readonly clock: Clock
	readonly log: Log
	readonly onDisconnect: (connection: Connection) => void
	readonly engine: EngineName
}

const engines = {
	http2: createHttp2Engine,
	'grpc-js': createGrpcJsEngine,
} as const satisfies Readonly<Record<EngineName, unknown>>

type OpenConnection = Connection & {
	readonly socket: Socket
	readonly calls: Set<EndableCall>
	readonly age: Timer
}

export function createTransport(options: TransportOptions): Transport {
	const { certificate, clock, log } = options
	/** By peer. */
	const connections = new Map<string, OpenConnection>()
	let connectionsSeen = 0
	let listener: NetServer | null = null
	const engine = engines[options.engine](options.services)
	const sockets = createSocketServer({ certificate, clock, log, accept })

	function open(service: GrpcService, connection: OpenConnection, wire: CallWire): OpenCall {
		const { calls, socket } = connection
		const call = createOpenCall({
			service,
			connection,
			wire,
			ended(status) {
				calls.delete(call)
				// Nothing that is sent now would arrive: only closing the connection frees what waits for it.
				if (status?.code === 'DEADLINE_EXCEEDED') socket.destroy()
			},
		})
		calls.add(call)
		return call
	}

	function accept(socket: Socket, certified: Certified | null): string | null {
		const peer = `${socket.remoteAddress}:${socket.remotePort}`
		// Where this machine has several addresses, somebody could come from the very port of another proxy beside him, to
		// another of them. An engine that knows a call by its peer alone would take him for that proxy.
		if (connections.has(peer)) return 'there is one from the same address and port'
		connectionsSeen += 1
		const lifeMs = lifeOf(connectionsSeen, certified?.expiresInMs ?? Number.POSITIVE_INFINITY)
		const connection: OpenConnection = {
			id: connectionsSeen,
			peer,
			certificateUris: certified?.uris ?? null,
			socket,
			calls: new Set(),
			age: clock.setTimer(lifeMs, () => retire(connection)),
		}
		connections.set(peer, connection)
		socket.setNoDelay(true)
		socket.once('close', () => {
			connections.delete(peer)
			connection.age.cancel()
			options.onDisconnect(connection)
		})
		engine.serve(connection, socket, (service, wire) => open(service, connection, wire))
		return null
	}

	/** What it still has to say arrives, and its proxy comes again at once. */
	function retire(connection: OpenConnection): void {
		engine.retire(connection)
		const { id, peer, calls, socket } = connection
		log.debug('xds.connection.retired', { connection: id, peer, calls: calls.size })
		for (const call of [...calls]) call.end({ code: 'UNAVAILABLE', message: 'this connection has had its time' })
		const cut = clock.setTimer(limits.xdsRetireMs, () => socket.destroy())
		socket.once('close', () => cut.cancel())
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
		for (const connection of connections.values()) engine.retire(connection)
		const closed = [...connections.values()].map(
			({ socket }) => new Promise((resolve) => socket.once('close', resolve)),
		)
		const cut = setTimeout(() => {
			for (const { socket } of connections.values()) socket.destroy()
		}, drainMs)
		await Promise.all(closed)
		clearTimeout(cut)
		engine.stop()
	}

	return { listen, secure: (next) => sockets.secure(next), close }
}

/** Until a connection that began as the `n`th is retired: they spread evenly, though all may have begun at once. */
function lifeOf(n: number, longestMs: number): number {
	const spread = (n * goldenRatio) % 1
	const { xdsConnectionAgeMs, xdsConnectionAgeSpread } = limits
	return Math.min(longestMs, xdsConnectionAgeMs * (1 + xdsConnectionAgeSpread * (2 * spread - 1)))
}

const goldenRatio = (1 + Math.sqrt(5)) / 2

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
