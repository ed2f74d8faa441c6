/** Shares that follow one another by the clock alone, as in the guard's tables. */
export type Ladder = { readonly shares: readonly number[]; readonly stepSeconds: number }

/** The ladder of the tables: 5, 10, 25, 50, 75 %, each for a minute. */
export const tableLadder: Ladder = { shares: [0.05, 0.1, 0.25, 0.5, 0.75], stepSeconds: 60 }

/** One share for as long as one looks. */
export function fixedShare(share: number): Ladder {
	return { shares: [share], stepSeconds: Infinity }
}

export function stepAt({ shares, stepSeconds }: Ladder, second: number): number {
	return Math.min(Math.floor(second / stepSeconds), shares.length - 1)
}

export function secondsOf({ shares, stepSeconds }: Ladder): number {
	return shares.length * stepSeconds
}
