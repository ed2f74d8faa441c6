import type { Clock, Timer } from '#base/clock.ts'
import {
	addressOf,
	type Caller,
	type CallHandler,
	type CallStatus,
	type GrpcService,
	type ServiceCall,
} from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { createRepeatedLog } from '#base/repeated-log.ts'
import type { RequestTimes } from '#base/request-times.ts'
import type { Result } from '#base/result.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import type { ClusterMetric } from './cluster-metric.ts'
import { type Counters, type CumulativeFlush, createCounters } from './counters.ts'
import type { Flush } from './flush.ts'
import { createNameMemory } from './name-memory.ts'
import { type MetricsMessage, readMetrics } from './read-metrics.ts'

// Envoy's metrics service: counters pushed by every proxy, once a flush interval, on the connection that serves it.

export type MetricsReceiver = {
	readonly service: GrpcService
	/** How many healthy hosts this proxy last saw in a cluster. Null when it never reported the cluster. */
	healthyHosts(proxyKey: string, cluster: string): { readonly count: number; readonly fresh: boolean } | null
	/** A flush of this proxy has arrived, however long ago. */
	hasPushed(proxyKey: string): boolean
	/** No flush of this proxy arrived for three intervals, or none ever did. */
	isSilent(proxyKey: string): boolean
}

export type MetricsReceiverOptions = {
	readonly clock: Clock
	readonly log: Log
	/** Who sends: the node (encoded) that comes with a stream's first message, and the call it came by. */
	readonly identify: (caller: Caller, node: Uint8Array) => Result<Proxy, CallStatus>
	readonly emit: (flush: Flush) => void
}

/** What is remembered of one proxy. An unjoined one is forgotten with its stream. */
type Source = {
	readonly proxy: string
	readonly counters: Counters
	arrivedMs: number | null
	/** The stream that counts, should there be two. */
	stream: object | null
}

const path = '/envoy.service.metrics.v3.MetricsService/StreamMetrics'

export function createMetricsReceiver(options: MetricsReceiverOptions): MetricsReceiver {
	const { clock, log, identify, emit } = options
	const repeated = createRepeatedLog({ clock, log })
	const sources = new Map<string, Source>()
	const names = createNameMemory()

	function sourceOf(proxyKey: string): Source {
		const known = sources.get(proxyKey)
		const source = known ?? { proxy: proxyKey, counters: createCounters(), arrivedMs: null, stream: null }
		sources.delete(proxyKey)
		sources.set(proxyKey, source)
		for (const [oldest, { stream }] of sources) {
			if (sources.size <= limits.xdsProxiesRemembered) break
			if (stream === null) sources.delete(oldest)
			else break
		}
		return source
	}

	function open(call: ServiceCall): CallHandler {
		const stream = {}
		let source: Source | null = null
		let isJoined = false
		let parts: MetricsMessage[] = []
		let partsSize = 0
		let gap: Timer | null = null
		let isEnded = false

		function receive(bytes: Uint8Array): void {
			if (isEnded) return
			const read = readMetrics(bytes, names)
			if (!read.ok) return end({ code: 'INVALID_ARGUMENT', message: read.error })
			const message = read.value
			if (message.node !== null) {
				const identified = identify(call, message.node)
				if (!identified.ok) return end(identified.error)
				isJoined = identified.value.instance !== null
				source = sourceOf(identified.value.key)
				source.stream = stream
			}
			if (source === null) return end({ code: 'INVALID_ARGUMENT', message: 'the first message must carry the node' })
			collect(message)
		}

		/** With a batch size a flush is several messages. Nothing marks the last; they follow each other at once. */
		function collect(message: MetricsMessage): void {
			if (message.flushedAtMs === 0) return
			if (parts[0] !== undefined && parts[0].flushedAtMs !== message.flushedAtMs) finish()
			parts.push(message)
			partsSize += 1 + message.clusters.size + message.times.size + message.unrouted.size
			// More than is remembered of a proxy is no flush, and who never pauses would never end one.
			if (partsSize > limits.flushClusters) return finish()
			gap?.cancel()
			gap = clock.setTimer(limits.flushGapMs, finish)
		}

		function finish(): void {
			gap?.cancel()
			gap = null
			const whole = joinParts(parts)
			parts = []
			partsSize = 0
			if (source === null || source.stream !== stream) return
			source.arrivedMs = clock.monotonicMs()
			emit({ proxy: source.proxy, arrivedMs: source.arrivedMs, ...source.counters.add(whole) })
		}

		function end(status: CallStatus): void {
			const { code, message } = status
			const fields = { peer: call.connection.peer, code, message }
			repeated.tell({ level: 'warn', event: 'telemetry.stream.ended', fields }, [
				addressOf(call.connection),
				code,
				message,
			])
			leave()
			call.end(status)
		}

		function leave(): void {
			isEnded = true
			if (parts.length > 0) finish()
			if (source?.stream !== stream) return
			source.stream = null
			if (!isJoined) sources.delete(source.proxy)
		}

		return { receive, closed: leave }
	}

	function isFresh(source: Source | undefined): boolean {
		if (source === undefined || source.arrivedMs === null) return false
		return clock.monotonicMs() - source.arrivedMs < limits.flushesMissing * limits.flushIntervalMs
	}

	return {
		service: { path, open },
		healthyHosts(proxyKey, cluster) {
			const source = sources.get(proxyKey)
			const count = source?.counters.healthyHosts(cluster) ?? null
			return count === null ? null : { count, fresh: isFresh(source) }
		},
		hasPushed: (proxyKey) => (sources.get(proxyKey)?.arrivedMs ?? null) !== null,
		isSilent: (proxyKey) => !isFresh(sources.get(proxyKey)),
	}
}

function joinParts(parts: readonly MetricsMessage[]): CumulativeFlush {
	const [only] = parts
	if (parts.length === 1 && only !== undefined) return only
	const clusters = new Map<string, ReadonlyMap<ClusterMetric, number>>()
	const times = new Map<string, RequestTimes>()
	const unrouted = new Map<string, number>()
	let uptimeS: number | null = null
	for (const part of parts) {
		for (const [name, values] of part.clusters) clusters.set(name, new Map([...(clusters.get(name) ?? []), ...values]))
		for (const [name, ofCluster] of part.times) times.set(name, ofCluster)
		for (const [name, value] of part.unrouted) unrouted.set(name, value)
		uptimeS = part.uptimeS ?? uptimeS
	}
	return { clusters, times, unrouted, uptimeS }
}
