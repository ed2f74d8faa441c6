import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { keepAlive } from '#xds/keepalive.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
	const clock = createManualClock()
	const answers: (() => void)[] = []
	const peer = { bytes: 0, pings: 0, cuts: 0 }
	const stop = keepAlive(
		{
			bytesRead: () => peer.bytes,
			ping(answered) {
				peer.pings += 1
				answers.push(answered)
			},
			cut() {
				peer.cuts += 1
			},
		},
		clock,
	)
	/** Its answer is something that it says. */
	const answer = () => {
		peer.bytes += 17
		answers.shift()?.()
	}
	return { clock, peer, answer, stop }
}

test('who says nothing is asked, and cut when no answer comes', () => {
	const { clock, peer } = setUp()
	clock.advance(limits.xdsKeepaliveMs - 1)
	expect(peer.pings).toBe(0)
	clock.advance(1)
	expect(peer).toMatchObject({ pings: 1, cuts: 0 })
	clock.advance(limits.xdsKeepaliveTimeoutMs)
	expect(peer).toMatchObject({ pings: 1, cuts: 1 })
	expect(clock.pendingMs()).toEqual([])
})

test('who is gone is cut before it would count as one that does not answer', () => {
	// It may go just after a look: that finds something said, the next one asks.
	const longestMs = 2 * limits.xdsKeepaliveMs + limits.xdsKeepaliveTimeoutMs
	expect(longestMs).toBeLessThan(limits.xdsAnswerMs)
	const { clock, peer } = setUp()
	peer.bytes += 1
	clock.advance(longestMs)
	expect(peer.cuts).toBe(1)
})

test('who speaks is not cut, though the answer lies behind what it says', () => {
	const { clock, peer, answer } = setUp()
	clock.advance(limits.xdsKeepaliveMs)
	peer.bytes += 1_000_000
	clock.advance(limits.xdsKeepaliveTimeoutMs)
	expect(peer).toMatchObject({ pings: 1, cuts: 0 })
	answer()
	clock.advance(limits.xdsKeepaliveMs)
	expect(peer).toMatchObject({ pings: 2, cuts: 0 })
})

test('who answers is asked again as long after that', () => {
	const { clock, peer, answer } = setUp()
	for (let round = 1; round <= 3; round += 1) {
		clock.advance(limits.xdsKeepaliveMs)
		expect(peer.pings).toBe(round)
		answer()
	}
	clock.advance(limits.xdsKeepaliveTimeoutMs)
	expect(peer.cuts).toBe(0)
})

test('who speaks is not asked, and who falls silent is', () => {
	const { clock, peer } = setUp()
	for (let spoken = 0; spoken < 5; spoken += 1) {
		clock.advance(limits.xdsKeepaliveMs - 1)
		peer.bytes += 1
	}
	clock.advance(limits.xdsKeepaliveMs)
	expect(peer.pings).toBe(0)
	clock.advance(limits.xdsKeepaliveMs)
	expect(peer.pings).toBe(1)
})

test('nothing comes after its end, not even by an answer that is late', () => {
	const { clock, peer, answer, stop } = setUp()
	clock.advance(limits.xdsKeepaliveMs)
	stop()
	answer()
	clock.advance(10 * limits.xdsKeepaliveMs)
	expect(peer).toMatchObject({ pings: 1, cuts: 0 })
	expect(clock.pendingMs()).toEqual([])
})
