import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { type FaultyProxy, startFaultyProxy } from '#lab/faulty-proxy.ts'
import { listen, portOf } from '#lab/ports.ts'

/** A server that says everything back, and a proxy before it. */
async function startEcho() {
	const server = await listen(
		'127.0.0.1',
		0,
		createServer((socket) => socket.on('error', () => {}).pipe(socket)),
	)
	const proxy = await startFaultyProxy({ address: '127.0.0.1', port: portOf(server) })
	return {
		proxy,
		async [Symbol.asyncDispose]() {
			await proxy.close()
			server.close()
		},
	}
}

async function dial(proxy: FaultyProxy): Promise<Socket> {
	const socket = connect(proxy.port, proxy.address)
	await once(socket, 'connect')
	// Resets are what this is about: those a test does not await are no failure of it.
	socket.on('error', () => {})
	return socket
}

async function echo(socket: Socket, word: string): Promise<string> {
	socket.write(word)
	const [chunk] = await once(socket, 'data')
	return String(chunk)
}

test('passes bytes on, and cuts by reset', async () => {
	await using echoServer = await startEcho()
	const socket = await dial(echoServer.proxy)
	expect(await echo(socket, 'hello')).toBe('hello')
	expect(echoServer.proxy.openConnections()).toBe(1)
	echoServer.proxy.cut()
	const [error] = await once(socket, 'error')
	expect(error.code).toBe('ECONNRESET')
})

test('refuses new connections, keeps open ones, and comes back on the same port', async () => {
	await using echoServer = await startEcho()
	const { proxy } = echoServer
	const socket = await dial(proxy)
	await proxy.setFault({ kind: 'refuse' })
	await expect(dial(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
	expect(await echo(socket, 'still here')).toBe('still here')
	await proxy.setFault({ kind: 'none' })
	expect(await echo(await dial(proxy), 'again')).toBe('again')
	socket.destroy()
})

test('stalls: nothing is lost, it only waits', async () => {
	await using echoServer = await startEcho()
	const { proxy } = echoServer
	const early = await dial(proxy)
	expect(await echo(early, 'a')).toBe('a')
	await proxy.setFault({ kind: 'stall' })
	const late = await dial(proxy)
	const heard: string[] = []
	for (const socket of [early, late]) socket.on('data', (chunk) => heard.push(String(chunk)))
	early.write('b')
	late.write('c')
	// Another pair of sockets goes the same way round: what was written before it would have come back before it.
	const { proxy: free, ...other } = await startEcho()
	expect(await echo(await dial(free), 'd')).toBe('d')
	expect(heard).toEqual([])
	const bothHeard = Promise.all([once(early, 'data'), once(late, 'data')])
	await proxy.setFault({ kind: 'none' })
	await bothHeard
	expect(heard.sort()).toEqual(['b', 'c'])
	await other[Symbol.asyncDispose]()
})

test('a target that is not there resets the client', async () => {
	await using proxy = await startFaultyProxy({ address: '127.0.0.1', port: 1 })
	const socket = connect(proxy.port, proxy.address)
	socket.on('error', () => {})
	await new Promise((resolve) => socket.once('close', resolve))
	expect(proxy.openConnections()).toBe(0)
})
