import { createServer, type Server } from 'node:net'
import { fail, type Result, succeed } from '#base/result.ts'

/** Why nothing can listen at an address. `message` is one line and ends with the way out. */
export type BindProblem = {
	readonly kind: 'inUse' | 'privileged' | 'noSuchAddress' | 'other'
	readonly message: string
}

/** Whether a TCP listener can be opened there now. Opens one and closes it again. */
export async function canBind(address: string, port: number): Promise<Result<void, BindProblem>> {
	try {
		await close(await listen(address, port))
		return succeed(undefined)
	} catch (error) {
		return fail(problemOf(error, address, port))
	}
}

/** TCP ports that were free a moment ago, all different. */
export async function freePorts(address: string, count: number): Promise<number[]> {
	const servers: Server[] = []
	for (let opened = 0; opened < count; opened += 1) servers.push(await listen(address, 0))
	const ports = servers.map(portOf)
	await Promise.all(servers.map(close))
	return ports
}

/** The port a listening TCP server got. */
export function portOf(server: Server): number {
	const address = server.address()
	if (address === null || typeof address === 'string') throw new TypeError('not a listening TCP server')
	return address.port
}

/** Listens; rejects with the system's error. */
export function listen(address: string, port: number, server: Server = createServer()): Promise<Server> {
	return new Promise((resolve, reject) => {
		server.once('error', reject)
		server.listen(port, address, () => {
			server.off('error', reject)
			resolve(server)
		})
	})
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => server.close(() => resolve()))
}

function problemOf(error: unknown, address: string, port: number): BindProblem {
	const place = `${address}:${port}`
	const code = error instanceof Error && 'code' in error ? error.code : undefined
	switch (code) {
		case 'EADDRINUSE':
			return { kind: 'inUse', message: `${place} is in use: stop what listens there, or choose another port` }
		case 'EACCES':
			return { kind: 'privileged', message: `${place} needs more rights than this user has: choose a port above 1023` }
		case 'EADDRNOTAVAIL':
			return { kind: 'noSuchAddress', message: `${address} is no address of this machine: choose another` }
		default:
			return { kind: 'other', message: `cannot listen at ${place} (${String(error)}): choose another address` }
	}
}
