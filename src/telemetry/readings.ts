import type { ClusterMetric } from './cluster-metric.ts'

/** One value of one cluster: of a counter, cumulative, or of a gauge. */
export type Reading = { cluster: string; metric: ClusterMetric; value: number }

/**
 * A list of values, to be filled again and again: a fleet flushes so fast that new entries each time would be what the
 * garbage collector lives on. It stays as large as the longest that it was.
 */
export type Readings = {
	add(cluster: string, metric: ClusterMetric, value: number): void
	/** In their order: of two of one metric the later one counts. */
	each(take: (reading: Readonly<Reading>) => void): void
	clear(): void
}

export function createReadings(): Readings {
	const entries: Reading[] = []
	let count = 0
	return {
		add(cluster, metric, value) {
			const entry = entries[count]
			if (entry === undefined) entries.push({ cluster, metric, value })
			else {
				entry.cluster = cluster
				entry.metric = metric
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
