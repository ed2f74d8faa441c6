/** Says what it found in lines for people, and returns it as numbers. */
export type Bench = (say: (line: string) => void, options: BenchOptions) => Figures | Promise<Figures>

/** For a bench that draws lots: how often, and which. The others take no notice. */
export type BenchOptions = { readonly runs: number; readonly seed: number }

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
