import type { Socket } from 'node:net'

/** How many connections each address has. No single one may have them all: nobody else could come any more. */
export type AddressCounts = {
	/** Counts it for as long as it is open. False: its address has enough. */
	take(socket: Socket): boolean
}

export function createAddressCounts(mostPerAddress: number): AddressCounts {
	const counts = new Map<string, number>()
	return {
		take(socket) {
			const address = socket.remoteAddress ?? ''
			const count = counts.get(address) ?? 0
			if (count >= mostPerAddress) return false
			counts.set(address, count + 1)
			socket.once('close', () => {
				const left = (counts.get(address) ?? 1) - 1
				if (left === 0) counts.delete(address)
				else counts.set(address, left)
			})
			return true
		},
	}
}
