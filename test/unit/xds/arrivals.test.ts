import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createArrivals } from '#xds/arrivals.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

const atOnce = limits.xdsArrivalsAtOnce

/** So many come in one turn. */
function setUp(count: number) {
	const clock = createManualClock()
	const begun: number[] = []
	const sockets = Array.from({ length: count }, () => ({ destroyed: false, bytesRead: 0 }))
	const arrivals = createArrivals({
		clock,
		begin: (socket) => void begun.push(sockets.indexOf(socket as unknown as (typeof sockets)[number])),
	})
	for (const socket of sockets) arrivals.come(socket as unknown as Socket)
	return { clock, begun, sockets }
}

test('as many begin at once as may, and each that has sent something or is gone lets the next one in, in order', () => {
	const { clock, begun, sockets } = setUp(atOnce + 5)
	const first = Array.from({ length: atOnce }, (_, index) => index)
	expect(begun).toEqual(first)
	clock.advance(1)
	expect(begun).toEqual(first)
	for (const index of [3, 7]) Object.assign(sockets[index] ?? {}, { bytesRead: 24 })
	Object.assign(sockets[5] ?? {}, { destroyed: true })
	clock.advance(1)
	expect(begun).toEqual([...first, atOnce, atOnce + 1, atOnce + 2])
})

test('who says nothing keeps others waiting for a moment, and no timer is left when nobody waits', () => {
	const { clock, begun } = setUp(3 * atOnce)
	clock.advance(limits.xdsArrivalSilentMs)
	expect(begun).toHaveLength(2 * atOnce)
	clock.advance(limits.xdsArrivalSilentMs)
	expect(begun).toHaveLength(3 * atOnce)
	expect(clock.pendingMs()).toEqual([])
})

test('whoever comes alone does not wait', () => {
	const { clock, begun } = setUp(1)
	expect(begun).toEqual([0])
	expect(clock.pendingMs()).toEqual([])
})
