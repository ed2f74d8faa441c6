import type { Socket } from 'node:net'
import { seededRandom } from '#base/random.ts'
import { systemClock } from '#base/system-clock.ts'
import { type AppBehaviour, type AppPorts, createAppBehaviour } from './app-behaviour.ts'
import { createExchangeServer } from './http-exchange.ts'
import { listen, portOf } from './ports.ts'

export type AppOptions = {
	/** Sent back in the header `x-app`. */
	readonly name: string
	/** A loopback address. */
	readonly address: string
	/** 0, a free one, by default. */
	readonly port?: number
}

/**
 * A small service that behaves or misbehaves as told. It answers any path with 200, the header `x-app` and a short body,
 * and obeys `POST /_fail` (see `failureFromQuery`), `POST /_heal` and `GET /_counts`.
 */
export type App = AsyncDisposable &
	Pick<AppBehaviour, 'setFailure' | 'heal' | 'counts'> & {
		readonly name: string
		readonly address: string
		readonly port: number
		/** Drops every connection. */
		close(): Promise<void>
	}

/** Listens at the address, for HTTP/2 and HTTP/1.1; rejects when it cannot. With a seeded `random` by default. */
export async function startApp(
	options: AppOptions,
	ports: AppPorts = { clock: systemClock, random: seededRandom(1) },
): Promise<App> {
	const { receive, setFailure, heal, counts } = createAppBehaviour(options.name, ports)
	const server = createExchangeServer(receive)
	const sockets = new Set<Socket>()
	server.on('connection', (socket) => {
		sockets.add(socket)
		socket.on('close', () => sockets.delete(socket))
	})
	await listen(options.address, options.port ?? 0, server)

	async function close(): Promise<void> {
		const closed = new Promise<void>((resolve) => server.close(() => resolve()))
		for (const socket of sockets) socket.destroy()
		await closed
	}

	return {
		name: options.name,
		address: options.address,
		port: portOf(server),
		setFailure,
		heal,
		counts,
		close,
		[Symbol.asyncDispose]: close,
	}
}
