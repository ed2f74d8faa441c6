import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'

/** The other end of a connection, as far as it matters whether it is there. */
export type KeptPeer = {
	/** All that has come from it so far. */
	bytesRead(): number
	ping(answered: () => void): void
	/** It is gone. */
	cut(): void
}

/**
 * A peer that is gone without a word is found out: who says nothing for a while is asked, and must answer. One that pushes
 * its counters each second is never asked. Returns how to end that.
 */
export function keepAlive(peer: KeptPeer, clock: Clock): () => void {
	let bytesHeard = peer.bytesRead()
	let timer = clock.setTimer(limits.xdsKeepaliveMs, look)
	let isStopped = false

	function look(): void {
		if (peer.bytesRead() !== bytesHeard) return waitOn()
		timer = clock.setTimer(limits.xdsKeepaliveTimeoutMs, judge)
		peer.ping(() => {
			timer.cancel()
			waitOn()
		})
	}

	/** Its answer may lie behind much else that it says. */
	function judge(): void {
		if (peer.bytesRead() === bytesHeard) peer.cut()
		else waitOn()
	}

	function waitOn(): void {
		if (isStopped) return
		bytesHeard = peer.bytesRead()
		timer = clock.setTimer(limits.xdsKeepaliveMs, look)
	}

	return () => {
		isStopped = true
		timer.cancel()
	}
}
