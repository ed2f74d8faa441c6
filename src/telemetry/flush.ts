import type { RequestTimes } from '#base/request-times.ts'

// What one proxy pushed in one flush interval, as increments. The telemetry room's memory of cumulative counters is
// volatile: a first flush is only a starting point, a smaller counter is a reset.

export type ClusterFlush = {
	/** Increments since the last flush: `upstream_rq_completed`, `_retry`, `_total`. */
	readonly completed: number
	/** Final 5xx answers, and gRPC errors in answers of any kind: an answer that is both counts once. */
	readonly errors: number
	readonly retries: number
	readonly started: number
	/** Connections that were tried, those that found no host among them, and how many of these failed. */
	readonly connects: number
	readonly connectFailures: number
	/** Histogram of this interval alone: `upstream_rq_time`. Null when it had none, or on a first flush. */
	readonly times: RequestTimes | null
	/** Gauges: `upstream_rq_active`, `upstream_cx_active`, `membership_healthy`, `membership_total`. */
	readonly active: number
	readonly open: number
	readonly healthyHosts: number
	readonly hosts: number
}

export type Flush = {
	/** The proxy's key, as in FleetView. */
	readonly proxy: string
	/** Monotonic time of arrival, in ms. */
	readonly arrivedMs: number
	/** False on a proxy's first flush: its counters only set the starting point and all increments are 0. */
	readonly counted: boolean
	/** Cluster name → what was counted. */
	readonly clusters: ReadonlyMap<string, ClusterFlush>
	/** Increments of `no_cluster`: requests whose route led to a cluster that is not there. */
	readonly unrouted: number
	/**
	 * Increments of `no_route`: requests that no route took. A change of weights cannot cause that, one of a match can. Not
	 * there where the source does not tell.
	 */
	readonly unmatched?: number
}
