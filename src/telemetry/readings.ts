/** One value of one cluster: of a counter, cumulative, or of a gauge. `slot`: which, by `metricSlots`. */
export type Reading = { cluster: string; slot: number; value: number }

/**
 * A list of values, to be filled again and again: a fleet flushes so fast that new entries each time would be what the
 * garbage collector lives on. It stays as large as the longest that it was.
 */
export type Readings = {
	add(cluster: string, slot: number, value: number): void
	/** In their order: of two of one slot the later one counts. */
	each(take: (reading: Readonly<Reading>) => void): void
	clear(): void
}

export function createReadings(): Readings {
	const entries: Reading[] = []
	let count = 0
	return {
		add(cluster, slot, value) {
			const entry = entries[count]
			if (entry === undefined) entries.push({ cluster, slot, value })
			else {
				entry.cluster = cluster
				entry.slot = slot
				entry.value = value
			}
			count += 1
		},
		each(take) {
			for (let index = 0; index < count; index += 1) {
				const entry = entries[index]
				if (entry !== undefined) take(entry)
			}
		},
		clear() {
			count = 0
		},
	}
}
