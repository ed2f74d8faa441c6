/** Says what it found in lines for people, and returns it as numbers. */
export type Bench = (say: (line: string) => void, options: BenchOptions) => Figures | Promise<Figures>

/** The benches that an option means nothing to take no notice of it. */
export type BenchOptions = {
	/** For a bench that draws lots: how often, and which. */
	readonly runs: number
	readonly seed: number
	/** For one that has a size which takes a large machine, or long. */
	readonly sizes: 'usual' | 'large'
	/** For one with a fleet of any size. */
	readonly proxies: number
}

export type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>

/** The middle of some measured times: what a busy machine adds now and then does not count. */
export function median(values: readonly number[]): number {
	return quantile(values, 0.5)
}

/** @param share 0 … 1 */
export function quantile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((left, right) => left - right)
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Three digits are enough for a figure that differs from run to run. */
export function rounded(value: number): number {
	return Number(value.toPrecision(3))
}
