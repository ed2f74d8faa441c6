import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { urisOfNames } from './certificate-uris.ts'
import { type ServerCertificate, secureContextOf } from './server-certificate.ts'

// The port below gRPC: plain sockets, or those whose TLS handshake is done. What speaks HTTP/2 on them is the same.

export type SocketServer = {
	readonly server: Server
	/** Connections that begin from now on are shown this; those that are open are left as they are. */
	secure(certificate: ServerCertificate): void
}

export type SocketServerOptions = {
	/** Null: sockets are plain, for as long as the server lives. Whether clients must have a certificate is settled too. */
	readonly certificate: ServerCertificate | null
	readonly clock: Clock
	readonly log: Log
	readonly accept: (socket: Socket, certificateUris: readonly string[] | null) => void
}

export function createSocketServer({ certificate, clock, log, accept }: SocketServerOptions): SocketServer {
	if (certificate === null)
		return {
			server: capped(
				createServer((socket) => accept(socket, null)),
				log,
			),
			secure() {},
		}
	const asksClients = certificate.clientAuthorities !== null
	const server = createTlsServer(
		{
			...secureContextOf(certificate),
			ALPNProtocols: ['h2'],
			requestCert: asksClients,
			rejectUnauthorized: asksClients,
			handshakeTimeout: limits.xdsHandshakeMs,
		},
		(socket) => accept(socket, asksClients ? urisOf(socket) : null),
	)
	tellFailures(server, { clock, log })
	return { server: capped(server, log), secure: (next) => server.setSecureContext(secureContextOf(next)) }
}

/** Handshakes that are not done yet count too. */
function capped(server: Server, log: Log): Server {
	server.maxConnections = limits.xdsConnections
	server.on('drop', (from) => {
		log.warn('xds.connection.refused', {
			peer: `${from?.remoteAddress}:${from?.remotePort}`,
			connections: limits.xdsConnections,
		})
	})
	return server
}

function urisOf(socket: TLSSocket): readonly string[] {
	const names = socket.getPeerX509Certificate()?.subjectAltName
	return names === undefined ? [] : (urisOfNames(names) ?? [])
}

/** A line a second at most: a fleet whose certificates have expired comes again and again. */
function tellFailures(server: TlsServer, { clock, log }: Pick<SocketServerOptions, 'clock' | 'log'>): void {
	let lastMs = Number.NEGATIVE_INFINITY
	let untold = 0
	server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
		if (clock.monotonicMs() - lastMs < limits.xdsHandshakeTellMs) {
			untold += 1
			return
		}
		lastMs = clock.monotonicMs()
		// What is wrong with a certificate stands on the socket; the error then only says that it was closed.
		const reason = String(socket.authorizationError ?? error.code ?? 'unknown')
		// Who has hung up by himself has no address any more.
		const peer = socket.remoteAddress === undefined ? null : `${socket.remoteAddress}:${socket.remotePort}`
		log.warn('xds.handshake.failed', { peer, reason, untold })
		untold = 0
	})
}
