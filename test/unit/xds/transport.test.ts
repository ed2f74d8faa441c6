// The wire below the services, over each of the engines: HTTP/2 and gRPC as a client finds them that keeps to nothing.
import { once } from 'node:events'
import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { frameOf } from '#xds/grpc-frames.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { createAuthority } from '../../fixtures/certificates.ts'
import { type CallByHand, callByHand, type Echo, type EchoOptions, echoMethod, startEcho } from '../../fixtures/echo.ts'
import { type ClientTls, connectXds, type RawStream, xdsServerName } from '../../fixtures/xds-client.ts'
import { xdsEngine } from '../../fixtures/xds-engine.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close()
})

async function start(options: Omit<EchoOptions, 'engine'> = {}): Promise<Echo> {
	const echo = await startEcho({ ...options, engine: xdsEngine })
	closers.push(echo.close)
	return echo
}

/** A call by a client of gRPC. */
function openRaw(port: number, tls: ClientTls | null = null): RawStream {
	const connection = connectXds(port, tls)
	closers.push(connection.close)
	return connection.openRaw(echoMethod)
}

function byHand(port: number, headers?: OutgoingHttpHeaders): CallByHand {
	const call = callByHand(port, headers)
	closers.push(() => call.session.destroy())
	return call
}

test('what is sent before the end arrives before it', async () => {
	const server = await start({
		answer: (call, message) => {
			for (let n = 0; n < 3; n += 1) call.send(message, () => {})
			call.end({ code: 'NOT_FOUND', message: 'so: 100 %, grün' })
		},
	})
	const stream = openRaw(server.port)
	stream.write(Buffer.from('hello'))
	const messages = [await stream.next(), await stream.next(), await stream.next()]
	expect(messages.map((message) => Buffer.from(message).toString())).toEqual(['hello', 'hello', 'hello'])
	expect(await stream.ended).toBe('NOT_FOUND: so: 100 %, grün')
	expect(server.closed).toEqual([])
})

test.for<CallStatus['code']>(['OK', 'INVALID_ARGUMENT', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE'])(
	'a call that ends with %s before anything was sent ends with that',
	async (code) => {
		const server = await start({ answer: (call) => call.end({ code, message: code === 'OK' ? '' : 'why' }) })
		const stream = openRaw(server.port)
		stream.write(Buffer.from('hello'))
		expect(await stream.ended).toContain(code)
	},
)

test('that a message has been passed on is told, and of a call that has ended not', async () => {
	const told: string[] = []
	const { promise, resolve } = Promise.withResolvers<void>()
	const server = await start({
		answer(call, message) {
			call.send(message, () => {
				told.push('first')
				call.send(message, () => told.push('second'))
				call.end({ code: 'OK', message: '' })
				resolve()
			})
		},
	})
	const stream = openRaw(server.port)
	stream.write(Buffer.from('hello'))
	await promise
	await stream.next()
	await stream.next()
	await stream.ended
	expect(told).toEqual(['first'])
})

/** By a client of gRPC, and by hand. */
const endings: readonly (readonly [
	how: string,
	end: (stream: RawStream) => void,
	closed: 'halfClosed' | 'cancelled',
])[] = [
	['half-closes', (stream) => stream.halfClose(), 'halfClosed'],
	['gives up', (stream) => stream.cancel(), 'cancelled'],
]
const endingsByHand: readonly (readonly [string, (wire: CallByHand) => void, 'halfClosed' | 'cancelled'])[] = [
	['ends its side', ({ stream }) => stream.end(), 'halfClosed'],
	['resets its stream', ({ stream }) => stream.close(constants.NGHTTP2_CANCEL), 'cancelled'],
	['closes its connection', ({ session }) => session.destroy(), 'cancelled'],
	['is cut off', ({ session }) => session.socket.destroy(), 'cancelled'],
]

test.for(endings)('a client that %s: closed as it meant it', async ([, end, closed]) => {
	const server = await start()
	const stream = openRaw(server.port)
	stream.write(Buffer.from('hello'))
	await stream.next()
	end(stream)
	await server.oneIsClosed()
	expect(server.closed).toEqual([closed])
})

test.for(endingsByHand)('a peer that %s: closed as it meant it', async ([, end, closed]) => {
	const server = await start()
	const wire = byHand(server.port)
	wire.stream.write(frameOf(Buffer.from('hello')))
	await once(wire.stream, 'response')
	end(wire)
	await server.oneIsClosed()
	expect(server.closed).toEqual([closed])
})

test.for([
	['an unknown method', { ':path': '/test.Echo/Nothing' }, '12'],
	['no gRPC', { 'content-type': 'application/json' }, '415'],
] as const)('%s is told so, and costs only its stream', async ([, headers, expected]) => {
	const server = await start()
	const { session, status } = byHand(server.port, headers)
	expect(await status()).toBe(expected)
	expect(session.destroyed).toBe(false)
	expect(server.closed).toEqual([])
})

test('a message that is longer than allowed ends its call, which is as good as cancelled', async () => {
	const server = await start()
	const { stream, status } = byHand(server.port)
	stream.write(longHead())
	expect(await status()).toBe('8')
	await server.oneIsClosed()
	expect(server.closed).toEqual(['cancelled'])
})

function longHead(): Buffer {
	const head = Buffer.alloc(5)
	head.writeUInt32BE(limits.xdsMessageBytes + 1, 1)
	return head
}

test('a peer is told how many streams a connection may have', async () => {
	const server = await start()
	const { session } = byHand(server.port)
	await once(session, 'remoteSettings')
	expect(session.remoteSettings.maxConcurrentStreams).toBe(limits.xdsStreamsPerConnection)
})

test('a connection has its time: its calls end, its peer comes again and finds no other one cut', async () => {
	const clock = createManualClock()
	const server = await start({ clock })
	const first = byHand(server.port)
	first.stream.write(frameOf(Buffer.from('hello')))
	await once(first.stream, 'response')
	clock.advance(limits.xdsConnectionAgeMs * (1 - limits.xdsConnectionAgeSpread) - 1)
	expect(server.closed).toEqual([])
	const later = byHand(server.port)
	later.stream.write(frameOf(Buffer.from('hello')))
	await once(later.stream, 'response')
	const isGone = once(first.session, 'close')
	while (server.closed.length === 0) clock.advance(limits.xdsRetireMs / 2)
	expect(server.closed).toEqual(['cancelled'])
	expect(await first.status()).toBe('14')
	clock.advance(limits.xdsRetireMs)
	await isGone
	expect(later.session.destroyed).toBe(false)
	expect(later.stream.closed).toBe(false)
})

test('not all have the same time', async () => {
	const clock = createManualClock()
	const server = await start({ clock })
	for (let n = 0; n < 10; n += 1) {
		const { stream } = byHand(server.port)
		stream.write(frameOf(Buffer.from('hello')))
		await once(stream, 'response')
		// The next one does not come with it.
		clock.advance(limits.xdsArrivalRestMs)
	}
	clock.advance(limits.xdsConnectionAgeMs)
	expect(server.closed.length).toBeGreaterThan(2)
	expect(server.closed.length).toBeLessThan(8)
})

test('of TLS clients that come at once, more than are begun together, each is answered what it said', async () => {
	const authority = await createAuthority()
	const ofServer = await authority.issue({ names: [xdsServerName] })
	const server = await start({ certificate: { ...ofServer, clientAuthorities: null } })
	const words = Array.from({ length: 4 * limits.xdsArrivalsAtOnce }, (_, index) => `hello ${index}`)
	const streams = words.map((word) => {
		const stream = openRaw(server.port, { authorities: authority.certificate, own: null })
		stream.write(Buffer.from(word))
		return stream
	})
	const answers = await Promise.all(streams.map((stream) => stream.next()))
	expect(answers.map((answer) => Buffer.from(answer).toString())).toEqual(words)
})

test('nobody is served longer than the certificate holds that he came with', async () => {
	const authority = await createAuthority()
	const ofServer = await authority.issue({ names: [xdsServerName] })
	const own = await authority.issue({ names: ['spiffe://td/a'], validity: 'shortly' })
	const clock = createManualClock(Date.now())
	const server = await start({ clock, certificate: { ...ofServer, clientAuthorities: authority.certificate } })
	const stream = openRaw(server.port, { authorities: authority.certificate, own })
	stream.write(Buffer.from('hello'))
	await stream.next()
	clock.advance(hourMs / 2)
	expect(server.closed).toEqual([])
	clock.advance(hourMs / 2)
	expect(server.closed).toEqual(['cancelled'])
	expect(await stream.ended).toContain('UNAVAILABLE')
})

const hourMs = 3_600_000
