import type { X509Certificate } from 'node:crypto'
import { createServer, type DropArgument, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { createRepeatedLog, type RepeatedLog } from '#base/repeated-log.ts'
import { createAddressCounts } from './address-counts.ts'
import { createArrivals } from './arrivals.ts'
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
	/** Why the connection is not taken, which is told and cut then; null: it is. */
	readonly accept: (socket: Socket, certified: Certified | null) => string | null
}

/** What the peer's certificate says. */
export type Certified = {
	/** What it is for. */
	readonly uris: readonly string[]
	/** From now, in ms. */
	readonly expiresInMs: number
}

export function createSocketServer({ certificate, clock, log, accept }: SocketServerOptions): SocketServer {
	const repeated = createRepeatedLog({ clock, log })
	const counts = createAddressCounts(limits.xdsConnectionsPerAddress)

	function take(socket: Socket, certified: Certified | null): void {
		const problem = accept(socket, certified)
		if (problem !== null) turnAway(socket, problem)
	}

	function turnAway(socket: Socket, problem: string): void {
		refuse(repeated, socket, problem)
		socket.destroy()
	}

	const secured = certificate === null ? null : createSecured(certificate, { clock, log, take })
	const server = createServer({ pauseOnConnect: true }, (socket) => {
		// From now on, so that no address can have all that wait.
		if (counts.take(socket)) arrivals.come(socket)
		else turnAway(socket, `there are ${limits.xdsConnectionsPerAddress} from this address`)
	})
	server.maxConnections = limits.xdsConnections
	server.on('drop', (from) => refuse(repeated, from ?? {}, `there are ${limits.xdsConnections}`))
	const arrivals = createArrivals({
		clock,
		peer: secured === null ? 'speaks' : 'greets',
		begin(socket) {
			if (!server.listening) return void socket.destroy()
			if (secured !== null) return void secured.emit('connection', socket)
			// Until somebody takes what comes, only that it comes.
			socket.read(0)
			take(socket, null)
		},
	})
	return { server, secure: (next) => secured?.setSecureContext(secureContextOf(next)) }
}

type Take = (socket: Socket, certified: Certified | null) => void

/** Listens nowhere: it is given each socket. */
function createSecured(
	certificate: ServerCertificate,
	{ clock, log, take }: Pick<SocketServerOptions, 'clock' | 'log'> & { readonly take: Take },
): TlsServer {
	const asksClients = certificate.clientAuthorities !== null
	const takesBare = certificate.bareClients === 'taken'
	const server = createTlsServer(
		{
			...secureContextOf(certificate),
			ALPNProtocols: ['h2'],
			requestCert: asksClients,
			rejectUnauthorized: asksClients && !takesBare,
			handshakeTimeout: limits.xdsHandshakeMs,
		},
		(socket) => {
			const shown = asksClients ? socket.getPeerX509Certificate() : undefined
			if (!asksClients || (takesBare && shown === undefined)) return take(socket, null)
			if (socket.authorized) return take(socket, readCertificate(shown, clock))
			// As for one that is refused by TLS itself.
			server.emit('tlsClientError', new Error('a certificate that is not good'), socket)
			socket.destroy()
		},
	)
	tellFailures(server, { clock, log })
	return server
}

function refuse(
	repeated: RepeatedLog,
	{ remoteAddress, remotePort }: Partial<Pick<DropArgument, 'remoteAddress' | 'remotePort'>> | Socket,
	reason: string,
): void {
	const peer = `${remoteAddress}:${remotePort}`
	const line = { level: 'warn', event: 'xds.connection.refused', fields: { peer, reason } } as const
	repeated.tell(line, [remoteAddress ?? null, reason])
}

function readCertificate(certificate: X509Certificate | undefined, clock: Clock): Certified {
	const names = certificate?.subjectAltName
	const uris = names === undefined ? [] : (urisOfNames(names) ?? [])
	const expiresMs = Date.parse(certificate?.validTo ?? '')
	return { uris, expiresInMs: Number.isNaN(expiresMs) ? 0 : Math.max(0, expiresMs - clock.wallMs()) }
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
