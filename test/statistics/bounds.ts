import { type Repeated, secondsUntil } from './repeat.ts'

// What may be said of a share or a median that was counted over so many runs, and of one that a table gives from runs
// of its own: three standard errors either way.

/** So many runs were behind the figures of the tables for detection; for healthy canaries it was five times as many. */
const tableRuns = 4000

/** The largest share of runs that still agrees with a true share. */
export function mostOf(share: number, runs: number): number {
	return share + 3 * Math.sqrt((share * (1 - share)) / runs)
}

/** The smallest share of runs that agrees with a table's figure; a table's 100 % is any share that rounds to it. */
export function leastOfTable(share: number, runs: number): number {
	const rounded = Math.min(share, 0.995)
	return share - 3 * Math.sqrt(rounded * (1 - rounded) * (1 / runs + 1 / tableRuns))
}

/** The largest, likewise; a table's 0 % is any share that rounds to it. */
export function mostOfTable(share: number, runs: number): number {
	const rounded = Math.max(share, 0.005)
	return rounded + 3 * Math.sqrt(rounded * (1 - rounded) * (1 / runs + 1 / tableRuns))
}

/** Seconds after which a share of all rollouts had surely ended so: three standard errors below what was seen. */
export function surelyAfter(repeated: Repeated, { end, share }: { end: 'back' | 'done'; share: number }): number {
	const error = 3 * Math.sqrt((share * (1 - share)) / repeated.runs)
	return secondsUntil(repeated, { end, share: Math.max(0, share - error) })
}

/** Seconds after which the middle one of all rollouts was surely taken back. */
export function surelyBackAfter(repeated: Repeated): number {
	return surelyAfter(repeated, { end: 'back', share: 0.5 })
}
