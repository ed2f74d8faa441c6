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

type Span = { readonly beganMs: number; readonly clusters: Map<string, ClusterTraffic> }

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
				clusters.set(name, sum(clusters.get(name), counts))
			}
		},
		read() {
			const nowMs = clock.monotonicMs()
			const kept = keptSpans(nowMs)
			const clusters: Record<string, ClusterTraffic> = {}
			for (const span of kept) {
				for (const [name, counts] of span.clusters) clusters[name] = sum(clusters[name], counts)
			}
			return { seconds: (nowMs - (kept[0]?.beganMs ?? nowMs)) / 1000, clusters }
		},
	}
}

function sum(left: ClusterTraffic | undefined, right: ClusterTraffic): ClusterTraffic {
	const { completed, errors, connects, connectFailures } = right
	if (left === undefined) return { completed, errors, connects, connectFailures }
	return {
		completed: left.completed + completed,
		errors: left.errors + errors,
		connects: left.connects + connects,
		connectFailures: left.connectFailures + connectFailures,
	}
}
