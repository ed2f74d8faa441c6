import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createArrivals } from '#xds/arrivals.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

const atOnce = limits.xdsArrivalsAtOnce

/** Those that said nothing keep others waiting no longer, and it has been looked. */
const silentMs = limits.xdsArrivalSilentMs + 2

/** So many come in one turn, and are not heard while they wait. */
function setUp(count: number) {
	const clock = createManualClock()
	const begun: number[] = []
	const sockets = Array.from({ length: count }, () => ({ destroyed: false, bytesRead: 0 }))
	const arrivals = createArrivals({
		clock,
		peer: 'speaks',
		begin: (socket) => void begun.push(sockets.indexOf(socket as unknown as (typeof sockets)[number])),
	})
	for (const socket of sockets) arrivals.come(socket as unknown as Socket)
	return { clock, begun, sockets }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('as many begin at once as may, in order, and each that has sent something or is gone lets the next one in', () => {
	const { clock, begun, sockets } = setUp(atOnce + 5)
	expect(begun).toEqual(upTo(atOnce))
	for (const index of [3, 7]) Object.assign(sockets[index] ?? {}, { bytesRead: 24 })
	Object.assign(sockets[5] ?? {}, { destroyed: true })
	expect(begun).toEqual(upTo(atOnce))
	clock.advance(2)
	expect(begun).toEqual(upTo(atOnce + 3))
})

test('who says nothing keeps others waiting for a moment, and no timer is left when nobody waits', () => {
	const { clock, begun } = setUp(3 * atOnce)
	clock.advance(limits.xdsArrivalSilentMs - 1)
	expect(begun).toHaveLength(atOnce)
	clock.advance(3)
	expect(begun).toHaveLength(2 * atOnce)
	clock.advance(silentMs)
	expect(begun).toEqual(upTo(3 * atOnce))
	expect(clock.pendingMs()).toEqual([])
})

test('while others come they are taken in for as long as the work took, and none is begun', () => {
	const clock = createManualClock()
	const begun: object[] = []
	const arrivals = createArrivals({ clock, peer: 'speaks', begin: (socket) => void begun.push(socket) })
	const come = () => arrivals.come({ destroyed: false, bytesRead: 0 } as unknown as Socket)
	come()
	// As long as the loop is busy its timers are late.
	const busyMs = 20
	const { monotonicMs } = clock
	clock.monotonicMs = () => monotonicMs() + busyMs
	come()
	clock.advance(1)
	come()
	clock.advance(busyMs)
	expect(begun).toHaveLength(2)
	clock.advance(1)
	expect(begun).toHaveLength(3)
})

test('whoever comes alone does not wait', () => {
	const { clock, begun } = setUp(1)
	expect(begun).toEqual([0])
	clock.advance(2)
	expect(clock.pendingMs()).toEqual([])
})

describe('peers that greet, on real sockets', () => {
	const opened: { destroy(): void }[] = []
	afterEach(() => {
		for (const one of opened.splice(0)) one.destroy()
	})

	/** As many are at work as may, so that whoever comes waits until the clock is moved. */
	async function listen() {
		const clock = createManualClock()
		const begun: { readonly socket: Socket; readonly said: string }[] = []
		const arrivals = createArrivals({
			clock,
			peer: 'greets',
			begin: (socket) => void begun.push({ socket, said: String(socket.read() ?? '') }),
		})
		const server = createServer({ pauseOnConnect: true }, (socket) => {
			opened.push(socket)
			arrivals.come(socket)
		})
		opened.push({ destroy: () => server.close() })
		await once(server.listen(0, '127.0.0.1'), 'listening')
		const address = server.address()
		if (address === null || typeof address === 'string') throw new Error('it listens at no port')
		const { port } = address

		/** A peer, and the server's end of its connection. */
		async function come(greeting: string): Promise<readonly [peer: Socket, socket: Socket]> {
			const peer = connect(port, '127.0.0.1')
			opened.push(peer)
			const [[socket]] = await Promise.all([once(server, 'connection'), once(peer, 'connect')])
			if (greeting !== '') {
				const heard = once(socket, 'data')
				peer.write(greeting)
				await heard
			}
			return [peer, socket]
		}

		for (let taken = 0; taken < atOnce; taken += 1) await come('')
		begun.splice(0)
		return { clock, begun, come, said: () => begun.map((one) => one.said) }
	}

	test('what was heard is there to be read when it is begun; who has spoken comes before who has not', async () => {
		const { clock, said, come } = await listen()
		for (const greeting of ['first', '', 'second']) await come(greeting)
		expect(said()).toEqual([])
		clock.advance(silentMs)
		expect(said()).toEqual(['first', 'second', ''])
	})

	test('who hangs up while waiting, in good order or not, is let go of and never begun', async () => {
		const { clock, said, come } = await listen()
		const [ending, ended] = await come('ending')
		const [resetting, reset] = await come('resetting')
		await come('patient')
		const gone = [ended, reset].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
		ending.end()
		resetting.resetAndDestroy()
		await Promise.all(gone)
		clock.advance(silentMs)
		expect(said()).toEqual(['patient'])
		clock.advance(silentMs)
		expect(clock.pendingMs()).toEqual([])
	})

	test('who says more than a greeting can have, or in more pieces, is cut', async () => {
		const { clock, said, come } = await listen()
		const [long, ofLong] = await come('x')
		const [crumbling, ofCrumbling] = await come('x')
		const cut = [ofLong, ofCrumbling].map(
			(socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
		)
		long.on('error', () => undefined).write('x'.repeat(limits.xdsGreetingBytes))
		crumbling.setNoDelay(true).on('error', () => undefined)
		for (let pieces = 1; pieces < limits.xdsPiecesLoose; pieces += 1) {
			const heard = once(ofCrumbling, 'data')
			crumbling.write('x')
			await heard
		}
		expect(ofCrumbling.destroyed).toBe(false)
		crumbling.write('x')
		await Promise.all(cut)
		clock.advance(silentMs)
		expect(said()).toEqual([])
	})
})
