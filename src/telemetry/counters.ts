import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
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
	/** Clusters and listeners that are remembered. */
	size(): number
}

/** The order of a base. */
const counterKinds: readonly CounterMetric[] = [
	...(['completed', 'errors', 'retries', 'started', 'connects', 'connectFailures', 'withoutHost'] as const),
	...grpcErrors,
]
const slots = Object.fromEntries(counterKinds.map((kind, slot) => [kind, slot])) as Record<CounterMetric, number>

export function createCounters(): Counters {
	/** Cluster → its last cumulative values. A flush of which a part was lost leaves those of the others as they were. */
	const bases = new Map<string, Base>()
	const unroutedBases = new Map<string, number>()
	let uptimeS: number | null = null
	let begun: 'not yet' | 'begun' = 'not yet'

	function baseOf(cluster: string): Base {
		const base = bases.get(cluster) ?? counterKinds.map(() => 0)
		renew(bases, cluster, base)
		return base
	}

	return {
		add(flush) {
			const counted = begun === 'begun'
			begun = 'begun'
			if (flush.uptimeS !== null && uptimeS !== null && flush.uptimeS < uptimeS) {
				bases.clear()
				unroutedBases.clear()
			}
			uptimeS = flush.uptimeS ?? uptimeS
			const clusters = new Map<string, ClusterFlush>()
			for (const [cluster, values] of flush.clusters) {
				const moved = move(baseOf(cluster), values)
				const times = counted ? (flush.times.get(cluster) ?? null) : null
				clusters.set(cluster, flushOf(values, counted ? moved : nothing, times))
			}
			let unrouted = 0
			let unmatched = 0
			for (const [name, value] of flush.unrouted) {
				const more = increment(value, unroutedBases.get(name) ?? 0)
				if (name.endsWith('no_route')) unmatched += more
				else unrouted += more
				renew(unroutedBases, name, value)
			}
			forgetOldest(bases)
			forgetOldest(unroutedBases)
			return { counted, clusters, unrouted: counted ? unrouted : 0, unmatched: counted ? unmatched : 0 }
		},
		size: () => bases.size + unroutedBases.size,
	}
}

/** Puts it behind all others. Who has few is spared that at each flush: nothing of his is about to be forgotten. */
function renew<Value>(bases: Map<string, Value>, name: string, base: Value): void {
	if (bases.size > limits.flushClusters / 2) bases.delete(name)
	bases.set(name, base)
}

/** Once for a flush: to find the oldest of a map takes longer the more have been taken out before it. */
function forgetOldest(bases: Map<string, unknown>): void {
	for (const oldest of bases.keys()) {
		if (bases.size <= limits.flushClusters) break
		bases.delete(oldest)
	}
}

/** Cumulative values by slot; 0 where there was none. */
type Base = number[]

type Moved = Pick<ClusterFlush, 'completed' | 'errors' | 'retries' | 'started' | 'connects' | 'connectFailures'>

const nothing: Moved = { completed: 0, errors: 0, retries: 0, started: 0, connects: 0, connectFailures: 0 }

/**
 * Moves the base to these values, and says by how much. A failed call of gRPC is mostly an answer 200 with a status in its
 * trailers. What Envoy answers by itself counts as 5xx and as gRPC's 14, an answer 503 of somebody who speaks no gRPC as
 * 5xx alone: so the larger of the two is what is certain to have failed.
 */
function move(base: Base, values: ReadonlyMap<ClusterMetric, number>): Moved {
	const of = (kind: CounterMetric) => {
		const value = values.get(kind)
		if (value === undefined) return 0
		const before = base[slots[kind]] ?? 0
		base[slots[kind]] = value
		return increment(value, before)
	}
	const withoutHost = of('withoutHost')
	let ofGrpc = 0
	for (const kind of grpcErrors) ofGrpc += of(kind)
	return {
		completed: of('completed'),
		errors: Math.max(of('errors'), ofGrpc),
		retries: of('retries'),
		started: of('started'),
		connects: of('connects') + withoutHost,
		connectFailures: of('connectFailures') + withoutHost,
	}
}

function increment(value: number, before: number): number {
	return value < before ? value : value - before
}

function flushOf(values: ReadonlyMap<ClusterMetric, number>, moved: Moved, times: RequestTimes | null): ClusterFlush {
	return {
		completed: moved.completed,
		errors: moved.errors,
		retries: moved.retries,
		started: moved.started,
		connects: moved.connects,
		connectFailures: moved.connectFailures,
		times,
		active: values.get('active') ?? 0,
		open: values.get('open') ?? 0,
		healthyHosts: values.get('healthyHosts') ?? 0,
		hosts: values.get('hosts') ?? 0,
	}
}
