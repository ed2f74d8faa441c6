import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createAddressCounts } from '#xds/address-counts.ts'

const server = createServer()
const clients: Socket[] = []
afterEach(() => {
	for (const client of clients) client.destroy()
	server.close()
})

test('an address has so many at a time, others have theirs, and who goes makes room', async () => {
	await once(server.listen(0, '127.0.0.1'), 'listening')
	const counts = createAddressCounts(2)
	async function come(localAddress: string) {
		const { port } = server.address() as AddressInfo
		const taken = once(server, 'connection')
		const client = connect({ host: '127.0.0.1', port, localAddress })
		clients.push(client)
		const [socket] = (await taken) as [Socket]
		return { client, socket, isTaken: counts.take(socket) }
	}
	const [first, second, third] = [await come('127.0.0.1'), await come('127.0.0.1'), await come('127.0.0.1')]
	expect([first, second, third].map(({ isTaken }) => isTaken)).toEqual([true, true, false])
	expect((await come('127.0.0.2')).isTaken).toBe(true)
	first.client.destroy()
	first.socket.resume()
	await once(first.socket, 'close')
	expect((await come('127.0.0.1')).isTaken).toBe(true)
	expect((await come('127.0.0.1')).isTaken).toBe(false)
})
