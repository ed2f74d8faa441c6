/** After so many turns of the loop, in each of which sockets are read. */
export function afterTurns(turns: number, act: () => void): void {
	if (turns === 0) act()
	else setImmediate(() => afterTurns(turns - 1, act))
}

/**
 * A peer that gives up a call may end its side of it first. That it is given up has been read so many turns later, if both
 * were sent together.
 */
export const turnsToReset = 16
