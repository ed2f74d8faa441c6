import type { Clock, Timer } from '#base/clock.ts'
import {
	addressOf,
	type Caller,
	type CallHandler,
	type CallStatus,
	type GrpcService,
	type ServiceCall,
	silentStatus,
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
import { createGoneSources, type Remembered } from './gone-sources.ts'
import { createNameMemory } from './name-memory.ts'
import { type MetricsMessage, readMetrics } from './read-metrics.ts'

// Envoy's metrics service: counters pushed by every proxy, once a flush interval, on the connection that serves it.

export type MetricsReceiver = {
	readonly service: GrpcService
	/** A flush of this proxy has arrived, by this stream of its or one that ended not long ago. */
	hasPushed(proxyKey: string): boolean
}

export type MetricsReceiverOptions = {
	readonly clock: Clock
	readonly log: Log
	/** Who sends: the node (encoded) that comes with a stream's first message, and the call it came by. */
	readonly identify: (caller: Caller, node: Uint8Array) => Result<Proxy, CallStatus>
	readonly emit: (flush: Flush) => void
}

type Source = Remembered & {
	readonly counters: Counters
	hasPushed: boolean
	/** The stream that counts, should there be two. */
	stream: object
}

const path = '/envoy.service.metrics.v3.MetricsService/StreamMetrics'

export function createMetricsReceiver(options: MetricsReceiverOptions): MetricsReceiver {
	const { clock, log, identify, emit } = options
	const repeated = createRepeatedLog({ clock, log })
	/** Of the streams that are open. */
	const sources = new Map<string, Source>()
	const gone = createGoneSources<Source>(clock)
	const names = createNameMemory()

	function sourceOf(proxyKey: string, stream: object): Source {
		const source = sources.get(proxyKey) ?? gone.take(proxyKey) ?? newSource(proxyKey, stream)
		source.stream = stream
		sources.set(proxyKey, source)
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
		const silence = clock.setTimer(limits.xdsSilentMs, () => end(silentStatus))

		function receive(bytes: Uint8Array): void {
			if (isEnded) return
			const read = readMetrics(bytes, names)
			if (!read.ok) return end({ code: 'INVALID_ARGUMENT', message: read.error })
			const message = read.value
			if (message.node !== null) {
				const identified = identify(call, message.node)
				if (!identified.ok) return end(identified.error)
				silence.cancel()
				isJoined = identified.value.instance !== null
				source = sourceOf(identified.value.key, stream)
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
			source.hasPushed = true
			const { counted, clusters, unrouted, unmatched } = source.counters.add(whole)
			emit({ proxy: source.proxy, arrivedMs: clock.monotonicMs(), counted, clusters, unrouted, unmatched })
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
			silence.cancel()
			if (parts.length > 0) finish()
			if (source?.stream !== stream) return
			sources.delete(source.proxy)
			// An unjoined one never comes back under its name, and who has pushed nothing has nothing to go on with.
			if (isJoined && source.hasPushed) gone.keep(source)
		}

		return { receive, closed: leave }
	}

	return {
		service: { path, open },
		hasPushed: (proxyKey) => sources.get(proxyKey)?.hasPushed ?? gone.has(proxyKey),
	}
}

function newSource(proxy: string, stream: object): Source {
	const counters = createCounters()
	return { proxy, counters, hasPushed: false, stream, size: counters.size }
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
