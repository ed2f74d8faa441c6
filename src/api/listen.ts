import type { ServerType } from '@hono/node-server'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { ApiAddress, OpenApi } from './api.ts'

export type ListenOptions = {
	readonly address: ApiAddress
	readonly maxConnections: number
	/** Ends what would keep connections open for ever. */
	readonly beforeClose: () => void
}

/** Binds the server. A port that is taken, or an address that is not this machine's, is a failure in words. */
export function listen(server: ServerType, options: ListenOptions): Promise<Result<OpenApi, string>> {
	const { address, maxConnections } = options
	if ('maxConnections' in server) server.maxConnections = maxConnections
	return new Promise((resolve) => {
		server.once('error', (error: NodeJS.ErrnoException) => resolve(fail(describeFailure(error, address))))
		server.listen({ host: address.host.replace(/^\[(.*)\]$/, '$1'), port: address.port, exclusive: true }, () => {
			server.removeAllListeners('error')
			resolve(succeed({ address: addressOf(server), close: () => close(server, options) }))
		})
	})
}

function describeFailure(error: NodeJS.ErrnoException, { host, port }: ApiAddress): string {
	const place = `${host}:${port}`
	switch (error.code) {
		case 'EADDRINUSE':
			return `the API cannot listen on ${place}: the port is in use. Stop what uses it, or give another with --http`
		case 'EACCES':
			return `the API may not listen on ${place}: ports below 1024 need a privilege. Give another with --http`
		case 'EADDRNOTAVAIL':
			return `the API cannot listen on ${place}: this machine does not have that address. Give another with --http`
		default:
			return `the API cannot listen on ${place}: ${error.message}`
	}
}

function addressOf(server: ServerType): string {
	const bound = server.address()
	if (bound === null || typeof bound === 'string') return String(bound)
	return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
}

function close(server: ServerType, { beforeClose }: ListenOptions): Promise<void> {
	beforeClose()
	return new Promise((resolve) => {
		server.close(() => resolve())
		if (!('closeIdleConnections' in server)) return
		server.closeIdleConnections()
		setTimeout(() => server.closeAllConnections(), limits.stopDrainMs).unref()
	})
}
