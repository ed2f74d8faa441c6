/** Parts per million of a percentage; people write it to four decimal places. */
export function percentToPpm(percent: number): number {
	return Math.round(percent * 10_000)
}
