import type { Socket } from 'node:net'
import { limits } from '#base/limits.ts'

/** What a peer says before its connection is begun. */
export type Greeting = {
	/** The socket is as if nothing had been read of it, and paused. */
	giveBack(): void
}

/**
 * Reads a socket, so that its end is seen. What was read is kept until it is given back. Who hangs up, or says more than
 * any greeting has, or in more pieces, is cut.
 * @param gone it was cut
 */
export function hearGreeting(socket: Socket, gone: () => void): Greeting {
	const pieces: Buffer[] = []
	let bytes = 0

	function keep(piece: Buffer): void {
		pieces.push(piece)
		bytes += piece.length
		if (bytes > limits.xdsGreetingBytes || pieces.length > limits.xdsPiecesLoose) leave()
	}

	function leave(): void {
		stop()
		// A socket that is reset says so once more.
		socket.on('error', () => undefined)
		socket.destroy()
		gone()
	}

	function stop(): void {
		socket.off('data', keep).off('end', leave).off('error', leave).off('close', leave)
	}

	socket.on('data', keep).on('end', leave).on('error', leave).on('close', leave).resume()
	return {
		giveBack() {
			stop()
			socket.pause()
			if (bytes > 0) socket.unshift(Buffer.concat(pieces))
		},
	}
}
