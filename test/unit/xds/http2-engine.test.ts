import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { frameOf } from '#xds/grpc-frames.ts'
import { callByHand, type Echo, type EchoOptions, startEcho } from '../../fixtures/echo.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close()
})

async function start(options: Omit<EchoOptions, 'engine'> = {}): Promise<Echo> {
	const echo = await startEcho({ ...options, engine: 'http2' })
	closers.push(echo.close)
	return echo
}

test('a call that has ended for the server does not keep its stream, whatever the client goes on sending', async () => {
	const server = await start({ answer: (call) => call.end({ code: 'UNAVAILABLE', message: 'gone' }) })
	const { session, stream, status } = callByHand(server.port)
	closers.push(() => session.destroy())
	stream.write(frameOf(Buffer.from('hello')))
	stream.write(frameOf(Buffer.from('hello')))
	expect(await status()).toBe('14')
	await once(stream, 'close')
	expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
	expect(server.closed).toEqual([])
})

test('another method of HTTP than POST is refused', async () => {
	const server = await start()
	const { session, status } = callByHand(server.port, { ':method': 'PUT' })
	closers.push(() => session.destroy())
	expect(await status()).toBe('405')
})

test('a stream that ends within a message has ended badly', async () => {
	const server = await start()
	const { session, stream, status } = callByHand(server.port)
	closers.push(() => session.destroy())
	stream.end(frameOf(Buffer.from('hello')).subarray(0, 7))
	expect(await status()).toBe('13')
	expect(server.closed).toEqual(['cancelled'])
})

test('a message that is compressed ends its call, which is as good as cancelled', async () => {
	const server = await start()
	const { session, stream, status } = callByHand(server.port)
	closers.push(() => session.destroy())
	const frame = frameOf(Buffer.from('hello'))
	frame[0] = 1
	stream.write(frame)
	expect(await status()).toBe('12')
	expect(server.closed).toEqual(['cancelled'])
})

test('what speaks no HTTP/2 is cut off', async () => {
	const server = await start()
	const socket = connect(server.port, '127.0.0.1')
	socket.on('error', () => {})
	socket.resume()
	socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
	await once(socket, 'close')
	expect(server.closed).toEqual([])
})
