// How hard the random tests try. `SLUICE_DEPTH=deep` takes the large counts, `SLUICE_SEED=7` another seed.

/** How often a random test repeats: `small` in every run, `deep` when asked. */
export function count(small: number, deep: number): number {
	return process.env.SLUICE_DEPTH === 'deep' ? deep : small
}

/** The seed of all random tests: the same in every run unless one is given. */
export function seed(): number {
	const given = process.env.SLUICE_SEED
	if (given === undefined || given === '') return 1
	const value = Number(given)
	if (!Number.isSafeInteger(value)) throw new Error(`SLUICE_SEED must be a whole number, not '${given}'`)
	return value
}
