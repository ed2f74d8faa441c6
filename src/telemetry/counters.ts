import { limits } from '#base/limits.ts'
import { type ClusterMetric, type CounterMetric, grpcErrors } from './cluster-metric.ts'
import type { ClusterFlush } from './flush.ts'
import type { MetricsMessage } from './read-metrics.ts'

// What is remembered of one proxy's cumulative counters, and the increments that a flush adds to them.

/** A whole flush: its messages, put together. */
export type CumulativeFlush = Pick<MetricsMessage, 'clusters' | 'times' | 'unrouted' | 'uptimeS'>

export type Increments = {
	readonly counted: boolean
	readonly clusters: ReadonlyMap<string, ClusterFlush>
	readonly unrouted: number
	readonly unmatched: number
}

export type Counters = {
	/**
	 * Increments since the last flush. The first flush only sets the starting point. A counter that became smaller, or
	 * any counter of a proxy that was started anew, counts from 0.
	 */
	add(flush: CumulativeFlush): Increments
	/** Gauge of the last flush, or null for a cluster that it did not have. */
	healthyHosts(cluster: string): number | null
}

const counterKinds: readonly CounterMetric[] = [
	...(['completed', 'errors', 'retries', 'started', 'connects', 'connectFailures', 'withoutHost'] as const),
	...grpcErrors,
]

export function createCounters(): Counters {
	/** Cluster → its last cumulative values. A flush of which a part was lost leaves those of the others as they were. */
	const bases = new Map<string, Counts>()
	const unroutedBases = new Map<string, number>()
	let latest: CumulativeFlush | null = null
	let uptimeS: number | null = null

	function rebase(cluster: string, values: ReadonlyMap<ClusterMetric, number>): Counts {
		const before = bases.get(cluster)
		const counts: Counts = new Map()
		const base: Counts = before ?? new Map()
		for (const kind of counterKinds) {
			const value = values.get(kind)
			if (value === undefined) continue
			counts.set(kind, increment(value, base.get(kind) ?? 0))
			base.set(kind, value)
		}
		keepNewest(bases, cluster, base)
		return counts
	}

	return {
		add(flush) {
			const counted = latest !== null
			if (flush.uptimeS !== null && uptimeS !== null && flush.uptimeS < uptimeS) {
				bases.clear()
				unroutedBases.clear()
			}
			uptimeS = flush.uptimeS ?? uptimeS
			latest = flush
			const clusters = new Map<string, ClusterFlush>()
			for (const [cluster, values] of flush.clusters) {
				const counts = rebase(cluster, values)
				const times = counted ? (flush.times.get(cluster) ?? null) : null
				clusters.set(cluster, { ...gauges(values), ...countsOf(counted ? counts : new Map()), times })
			}
			let unrouted = 0
			let unmatched = 0
			for (const [name, value] of flush.unrouted) {
				const more = increment(value, unroutedBases.get(name) ?? 0)
				if (name.endsWith('no_route')) unmatched += more
				else unrouted += more
				keepNewest(unroutedBases, name, value)
			}
			return { counted, clusters, unrouted: counted ? unrouted : 0, unmatched: counted ? unmatched : 0 }
		},
		healthyHosts: (cluster) => latest?.clusters.get(cluster)?.get('healthyHosts') ?? null,
	}
}

function keepNewest<Value>(bases: Map<string, Value>, name: string, base: Value): void {
	bases.delete(name)
	bases.set(name, base)
	for (const oldest of bases.keys()) {
		if (bases.size <= limits.flushClusters) break
		bases.delete(oldest)
	}
}

type Counts = Map<CounterMetric, number>

/**
 * A failed call of gRPC is mostly an answer 200 with a status in its trailers. What Envoy answers by itself counts as 5xx
 * and as gRPC's 14, an answer 503 of somebody who speaks no gRPC as 5xx alone: so the larger of the two is what is
 * certain to have failed.
 */
function countsOf(counts: ReadonlyMap<CounterMetric, number>) {
	const of = (kind: CounterMetric) => counts.get(kind) ?? 0
	return {
		completed: of('completed'),
		errors: Math.max(
			of('errors'),
			grpcErrors.reduce((sum, kind) => sum + of(kind), 0),
		),
		retries: of('retries'),
		started: of('started'),
		connects: of('connects') + of('withoutHost'),
		connectFailures: of('connectFailures') + of('withoutHost'),
	}
}

function increment(value: number, before: number): number {
	return value < before ? value : value - before
}

function gauges(
	values: ReadonlyMap<ClusterMetric, number>,
): Pick<ClusterFlush, 'active' | 'open' | 'healthyHosts' | 'hosts'> {
	return {
		active: values.get('active') ?? 0,
		open: values.get('open') ?? 0,
		healthyHosts: values.get('healthyHosts') ?? 0,
		hosts: values.get('hosts') ?? 0,
	}
}
