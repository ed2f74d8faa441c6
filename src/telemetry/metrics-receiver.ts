import type { Clock } from '#base/clock.ts'
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
import type { Result } from '#base/result.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { type Counters, createCounters, createSpareValues } from './counters.ts'
import type { Flush } from './flush.ts'
import { createGoneSources, type Remembered } from './gone-sources.ts'
import { createPauses } from './pauses.ts'
import { createMetricsReader, type MetricsMessage } from './read-metrics.ts'

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
	/** Whether anybody asks now how long requests took: else flushes say nothing of it. */
	readonly wantsTimes: () => boolean
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
	const readMetrics = createMetricsReader(options)
	const spare = createSpareValues()
	const pauses = createPauses({ clock, lengthMs: limits.flushGapMs })

	function sourceOf(proxyKey: string, stream: object): Source {
		const source = sources.get(proxyKey) ?? gone.take(proxyKey) ?? newSource(proxyKey, stream)
		// What another stream has told of a flush that it did not end.
		if (source.stream !== stream) source.counters.drop()
		source.stream = stream
		sources.set(proxyKey, source)
		return source
	}

	function newSource(proxy: string, stream: object): Source {
		const counters = createCounters(spare)
		return { proxy, counters, hasPushed: false, stream, size: counters.size }
	}

	function open(call: ServiceCall): CallHandler {
		const stream = {}
		let source: Source | null = null
		let isJoined = false
		/** Of the flush under way; 0 while there is none. */
		let flushedAtMs = 0
		let isEnded = false
		const silence = clock.setTimer(limits.xdsSilentMs, () => end(silentStatus))

		function receive(bytes: Uint8Array): void {
			if (isEnded) return
			const read = readMetrics(bytes)
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
			// The other stream of this proxy counts, which is newer.
			if (source.stream !== stream || message.flushedAtMs === 0) return
			collect(source, message)
		}

		/** With a batch size a flush is several messages. Nothing marks the last; they follow each other at once. */
		function collect({ counters }: Source, message: MetricsMessage): void {
			if (flushedAtMs !== 0 && flushedAtMs !== message.flushedAtMs) finish()
			flushedAtMs = message.flushedAtMs
			counters.take(message)
			// Who never pauses would never end one.
			if (counters.isOverfull()) finish()
			else pauses.begin(finish)
		}

		function finish(): void {
			pauses.cancel(finish)
			flushedAtMs = 0
			if (source === null || source.stream !== stream) return
			source.hasPushed = true
			const { counted, clusters, unrouted, unmatched } = source.counters.close()
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
			if (flushedAtMs !== 0) finish()
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
