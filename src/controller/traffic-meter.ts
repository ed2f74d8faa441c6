import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'

// How much traffic each cluster has now, over all proxies: what a plan's times are worked out from. Nothing is decided
// by it. Its memory is a few spans of time, each with the clusters that had traffic in it.

/** What all proxies together counted at one cluster. */
export type ClusterTraffic = Pick<ClusterFlush, 'completed' | 'errors' | 'connects' | 'connectFailures'>

export type Traffic = {
	/** The time that the counts are from: a minute, or less after a start. */
	readonly seconds: number
	/** By cluster name. */
	readonly clusters: Readonly<Record<string, ClusterTraffic>>
}

export type TrafficMeter = {
	add(flush: Flush): void
	read(): Traffic
}

type Sum = { -readonly [Count in keyof ClusterTraffic]: ClusterTraffic[Count] }
type Span = { readonly beganMs: number; readonly clusters: Map<string, Sum> }

export function createTrafficMeter(clock: Clock): TrafficMeter {
	/** Oldest first. */
	let spans: Span[] = []

	function spanAt(nowMs: number): Span {
		const newest = spans.at(-1)
		if (newest !== undefined && nowMs - newest.beganMs < limits.trafficSpanMs) return newest
		const span: Span = { beganMs: nowMs, clusters: new Map() }
		spans = [...keptSpans(nowMs), span]
		return span
	}

	function keptSpans(nowMs: number): Span[] {
		return spans.filter(({ beganMs }) => nowMs - beganMs <= limits.trafficWindowMs)
	}

	return {
		add(flush) {
			if (!flush.counted) return
			const { clusters } = spanAt(clock.monotonicMs())
			for (const [name, counts] of flush.clusters) {
				if (counts.completed + counts.connects === 0) continue
				const sum = clusters.get(name)
				if (sum !== undefined) add(sum, counts)
				else if (clusters.size < limits.trafficClusters) clusters.set(name, sumOf(counts))
			}
		},
		read() {
			const nowMs = clock.monotonicMs()
			const kept = keptSpans(nowMs)
			const clusters: Record<string, Sum> = {}
			for (const span of kept) {
				for (const [name, counts] of span.clusters) {
					const sum = clusters[name]
					if (sum === undefined) clusters[name] = sumOf(counts)
					else add(sum, counts)
				}
			}
			return { seconds: (nowMs - (kept[0]?.beganMs ?? nowMs)) / 1000, clusters }
		},
	}
}

function sumOf({ completed, errors, connects, connectFailures }: ClusterTraffic): Sum {
	return { completed, errors, connects, connectFailures }
}

function add(sum: Sum, { completed, errors, connects, connectFailures }: ClusterTraffic): void {
	sum.completed += completed
	sum.errors += errors
	sum.connects += connects
	sum.connectFailures += connectFailures
}
