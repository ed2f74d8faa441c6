import { connect, createServer, type Server, type Socket } from 'node:net'
import { unreachable } from '#base/assert.ts'
import { listen, portOf } from './ports.ts'

export type ProxyFault =
	| { readonly kind: 'none' }
	/** Nothing listens: new connections are refused by the system. Open ones live on. */
	| { readonly kind: 'refuse' }
	/** New connections are accepted, but no byte moves any more in either direction, on open ones too. */
	| { readonly kind: 'stall' }

/** A TCP proxy on loopback that stands between two parts and breaks their connection as told. */
export type FaultyProxy = AsyncDisposable & {
	readonly address: string
	readonly port: number
	setFault(fault: ProxyFault): Promise<void>
	/** Resets every open connection, now. */
	cut(): void
	/** Connections that are open at the moment. */
	openConnections(): number
	close(): Promise<void>
}

type Endpoint = { readonly address: string; readonly port: number }
type Pair = { readonly inside: Socket; readonly outside: Socket }

/** Starts it on a port of its own choice. */
export async function startFaultyProxy(target: Endpoint): Promise<FaultyProxy> {
	const address = '127.0.0.1'
	const pairs = new Set<Pair>()
	let fault: ProxyFault = { kind: 'none' }
	let server: Server | null = await listen(address, 0, createServer(accept))
	const port = portOf(server)

	function accept(inside: Socket): void {
		const pair = { inside, outside: connect({ host: target.address, port: target.port }) }
		pairs.add(pair)
		for (const [from, to] of [
			[pair.inside, pair.outside],
			[pair.outside, pair.inside],
		] as const) {
			from.setNoDelay(true)
			// An error of one side ends both, as it would without the proxy; 'close' follows it.
			from.on('error', () => from.destroy())
			from.on('close', () => {
				to.destroy()
				pairs.delete(pair)
			})
		}
		if (fault.kind !== 'stall') flow(pair)
	}

	async function setFault(next: ProxyFault): Promise<void> {
		fault = next
		switch (next.kind) {
			case 'refuse':
				// Its callback waits for the last connection; listening has ended when close() returns.
				server?.close()
				server = null
				return
			case 'stall':
			case 'none':
				server ??= await listen(address, port, createServer(accept))
				for (const pair of pairs) next.kind === 'stall' ? stall(pair) : flow(pair)
				return
			default:
				return unreachable(next)
		}
	}

	function cut(): void {
		for (const { inside, outside } of pairs) {
			inside.resetAndDestroy()
			outside.resetAndDestroy()
		}
	}

	async function close(): Promise<void> {
		await setFault({ kind: 'refuse' })
		cut()
	}

	return { address, port, setFault, cut, openConnections: () => pairs.size, close, [Symbol.asyncDispose]: close }
}

function flow({ inside, outside }: Pair): void {
	inside.pipe(outside)
	outside.pipe(inside)
}

function stall({ inside, outside }: Pair): void {
	inside.unpipe(outside).pause()
	outside.unpipe(inside).pause()
}
