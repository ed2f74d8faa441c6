import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { clusterMetrics, counterMetrics, grpcErrors, metricSlots } from './cluster-metric.ts'
import type { ClusterFlush } from './flush.ts'
import type { MetricsMessage } from './read-metrics.ts'
import type { Reading } from './readings.ts'

// What is remembered of one proxy's cumulative counters, and the increments that a flush adds to them.

/** A whole flush, or a part of one. */
export type CumulativeValues = Pick<MetricsMessage, 'readings' | 'times' | 'unrouted' | 'uptimeS'>

export type Increments = {
	readonly counted: boolean
	readonly clusters: ReadonlyMap<string, ClusterFlush>
	readonly unrouted: number
	readonly unmatched: number
}

export type Counters = {
	/** Of the flush under way, of which it keeps nothing but numbers. What was told before of the same values is void. */
	take(values: CumulativeValues): void
	/** The flush under way has told more than is remembered of a proxy, or as much again and again: it is none. */
	isOverfull(): boolean
	/** The flush under way is none after all. */
	drop(): void
	/**
	 * Ends the flush: increments since the last one. The first flush only sets the starting point. A counter that became
	 * smaller, or any counter of a proxy that was started anew, counts from 0.
	 */
	close(): Increments
	/** Clusters and listeners that are remembered. */
	size(): number
}

/** Changed in place: what is let go of old, and holds something new, keeps that alive until all memory is looked through. */
type Counted = {
	readonly cluster: string
	/** Cumulative values at the end of the last flush that told them; 0 where there was none. */
	readonly before: number[]
	/** What the flush under way says, `untold` where it says nothing; null where it says nothing at all. */
	now: number[] | null
	/** Of the flush under way. */
	times: RequestTimes | null
}

/** A cluster's values, all of them `untold`, for the time of a flush: a fleet has hundreds of thousands of clusters. */
export type SpareValues = { take(): number[]; giveBack(values: number[]): void }

export function createSpareValues(): SpareValues {
	const spare: number[][] = []
	return {
		take: () => spare.pop() ?? clusterMetrics.map(() => untold),
		giveBack(values) {
			if (spare.length < limits.spareValues) spare.push(values.fill(untold))
		},
	}
}

const untold = Number.NaN
const mostTaken = limits.flushClusters * clusterMetrics.length

/** @param spare shared by all proxies */
export function createCounters(spare: SpareValues = createSpareValues()): Counters {
	/** A flush of which a part was lost leaves the values of the others as they were. */
	const known = new Map<string, Counted>()
	/** Of these the flush under way has values, and of these times. */
	const told: Counted[] = []
	const timed: Counted[] = []
	const unroutedBefore = new Map<string, number>()
	const unroutedNow = new Map<string, number>()
	/** Values of the flush under way, those that were told twice among them. */
	let taken = 0
	/** Clusters that it may have told of when the message ends that is taken. */
	let mostTold = 0
	let uptimeBeforeS: number | null = null
	let uptimeS: number | null = null
	let begun: 'not yet' | 'begun' = 'not yet'

	function takeReading({ cluster, slot, value }: Readonly<Reading>): void {
		const counted = countedAt(cluster)
		taken += 1
		if (counted.now === null && told.length >= mostTold) return
		counted.now ??= beginTelling(counted)
		counted.now[slot] = value
	}

	function countedAt(cluster: string): Counted {
		return known.get(cluster) ?? { cluster, before: counterMetrics.map(() => 0), now: null, times: null }
	}

	function beginTelling(counted: Counted): number[] {
		told.push(counted)
		renew(known, counted.cluster, counted)
		return spare.take()
	}

	/** Of a cluster of which nothing else is known they are of no use. */
	function takeTimes(cluster: string, times: RequestTimes): void {
		const counted = known.get(cluster)
		if (counted === undefined) return
		if (counted.times === null) timed.push(counted)
		counted.times = times
	}

	function drop(): void {
		// Emptied one by one they keep their room.
		for (let one = told.pop(); one !== undefined; one = told.pop()) {
			if (one.now !== null) spare.giveBack(one.now)
			one.now = null
		}
		for (let one = timed.pop(); one !== undefined; one = timed.pop()) one.times = null
		if (unroutedNow.size > 0) unroutedNow.clear()
		taken = 0
		uptimeS = null
	}

	function beginAnew(): void {
		for (const { cluster, before, now } of known.values()) {
			if (now === null) known.delete(cluster)
			else before.fill(0)
		}
		unroutedBefore.clear()
	}

	return {
		take(values) {
			mostTold = told.length + limits.flushClusters
			values.readings.each(takeReading)
			if (values.times.size > 0) for (const [cluster, times] of values.times) takeTimes(cluster, times)
			if (values.unrouted.size > 0) for (const [name, value] of values.unrouted) unroutedNow.set(name, value)
			uptimeS = values.uptimeS ?? uptimeS
		},
		isOverfull: () => told.length + unroutedNow.size > limits.flushClusters || taken > mostTaken,
		drop,
		close() {
			const counted = begun === 'begun'
			begun = 'begun'
			if (uptimeS !== null && uptimeBeforeS !== null && uptimeS < uptimeBeforeS) beginAnew()
			uptimeBeforeS = uptimeS ?? uptimeBeforeS
			const clusters = new Map<string, ClusterFlush>()
			for (const one of told) {
				const moved = move(one)
				clusters.set(one.cluster, counted ? moved : withoutIncrements(moved))
			}
			let unrouted = 0
			let unmatched = 0
			for (const [name, value] of unroutedNow) {
				const more = increment(value, unroutedBefore.get(name) ?? 0)
				if (name.endsWith('no_route')) unmatched += more
				else unrouted += more
				renew(unroutedBefore, name, value)
			}
			drop()
			// Once for a flush: to find the oldest of a map takes longer the more have been taken out before it.
			forgetOldest(known, limits.flushClusters)
			forgetOldest(unroutedBefore, limits.flushClusters)
			return { counted, clusters, unrouted: counted ? unrouted : 0, unmatched: counted ? unmatched : 0 }
		},
		size: () => known.size + unroutedBefore.size,
	}
}

/** Puts it behind all others. Who has few is spared that at each flush: nothing of his is about to be forgotten. */
function renew<Value>(known: Map<string, Value>, name: string, value: Value): void {
	if (known.size > limits.flushClusters / 2) known.delete(name)
	known.set(name, value)
}

/**
 * Moves what was before to what is now, and says by how much. A failed call of gRPC is mostly an answer 200 with a status
 * in its trailers. What Envoy answers by itself counts as 5xx and as gRPC's 14, an answer 503 of somebody who speaks no
 * gRPC as 5xx alone: so the larger of the two is what is certain to have failed.
 */
function move(counted: Counted): ClusterFlush {
	const withoutHost = moveCounter(counted, metricSlots.withoutHost)
	let ofGrpc = 0
	for (const metric of grpcErrors) ofGrpc += moveCounter(counted, metricSlots[metric])
	return {
		completed: moveCounter(counted, metricSlots.completed),
		errors: Math.max(moveCounter(counted, metricSlots.errors), ofGrpc),
		retries: moveCounter(counted, metricSlots.retries),
		started: moveCounter(counted, metricSlots.started),
		connects: moveCounter(counted, metricSlots.connects) + withoutHost,
		connectFailures: moveCounter(counted, metricSlots.connectFailures) + withoutHost,
		times: counted.times,
		active: gaugeOf(counted, metricSlots.active),
		open: gaugeOf(counted, metricSlots.open),
		healthyHosts: gaugeOf(counted, metricSlots.healthyHosts),
		hosts: gaugeOf(counted, metricSlots.hosts),
	}
}

function moveCounter({ before, now }: Counted, slot: number): number {
	const value = now?.[slot] ?? untold
	if (Number.isNaN(value)) return 0
	const moved = increment(value, before[slot] ?? 0)
	before[slot] = value
	return moved
}

function increment(value: number, before: number): number {
	return value < before ? value : value - before
}

function gaugeOf({ now }: Counted, slot: number): number {
	const value = now?.[slot] ?? untold
	return Number.isNaN(value) ? 0 : value
}

function withoutIncrements({ active, open, healthyHosts, hosts }: ClusterFlush): ClusterFlush {
	const none = { completed: 0, errors: 0, retries: 0, started: 0, connects: 0, connectFailures: 0, times: null }
	return { ...none, active, open, healthyHosts, hosts }
}
