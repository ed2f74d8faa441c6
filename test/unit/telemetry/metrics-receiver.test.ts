import { describe, expect, test } from 'vitest'
import type { CallHandler, CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import type { Flush } from '#telemetry/flush.ts'
import { createMetricsReceiver } from '#telemetry/metrics-receiver.ts'
import { createAdmission } from '#xds/admission.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { clusterMetrics, metricsMessage, requestTimes, type Sent, uptime } from '../../fixtures/metrics-message.ts'

const nodeId = 'mesh/apps/virtualNode/a'
const joined = 'mesh/apps/virtualNode/a#host-1'
const unjoined = 'mesh/apps/virtualNode/a#connection-1'

function setUp() {
	const clock = createManualClock()
	const admission = createAdmission()
	const flushes: Flush[] = []
	const receiver = createMetricsReceiver({
		clock,
		log: silentLog,
		identify: (caller, node) => admission.identify(caller, node),
		emit: (flush) => flushes.push(flush),
		wantsTimes: () => true,
	})
	let atMs = 0

	/** A stream that says who it is with its first message. */
	function connect(connectionId: number, instance?: string) {
		let status: CallStatus | null = null
		const end = (ending: CallStatus) => {
			status = ending
		}
		const handler: CallHandler = receiver.service.open({
			connection: { id: connectionId, peer: 'p', certificateUris: null },
			authorization: null,
			send() {},
			end,
		})
		let isFirst = true

		/** The messages of one flush. */
		function flush(...messages: readonly (readonly Sent[])[]): void {
			atMs += 1000
			for (const metrics of messages) {
				const who = isFirst ? { nodeId, ...(instance === undefined ? {} : { instance }) } : {}
				isFirst = false
				handler.receive(metricsMessage({ atMs, metrics, ...who }))
			}
		}
		return { flush, handler, ended: () => status }
	}

	/** What the counters of the last flush said. */
	function last(cluster = 'c') {
		clock.advance(limits.flushGapMs)
		const flush = flushes.at(-1)
		return flush && { proxy: flush.proxy, counted: flush.counted, ...flush.clusters.get(cluster) }
	}
	return { clock, flushes, receiver, connect, last }
}

const completed = (value: number) => clusterMetrics('c', { upstream_rq_completed: value, membership_healthy: 1 })

describe('createMetricsReceiver', () => {
	test('gives the increments of each flush', () => {
		const { connect, last, flushes, clock } = setUp()
		const stream = connect(1, 'host-1')
		stream.flush(completed(100))
		expect(last()).toMatchObject({ proxy: joined, counted: false, completed: 0, healthyHosts: 1 })
		clock.advance(990)
		stream.flush(completed(150))
		expect(last()).toMatchObject({ counted: true, completed: 50 })
		expect(flushes.map(({ arrivedMs }) => arrivedMs)).toEqual([10, 1010])
	})

	test('puts the messages of one flush together', () => {
		const { connect, flushes, last } = setUp()
		const stream = connect(1)
		stream.flush(
			completed(10),
			clusterMetrics('c', { upstream_rq_5xx: 1 }),
			clusterMetrics('d', { upstream_rq_total: 1 }),
		)
		expect(last()).toMatchObject({ counted: false })
		stream.flush(
			completed(20),
			clusterMetrics('c', { upstream_rq_5xx: 5 }),
			clusterMetrics('d', { upstream_rq_total: 4 }),
		)
		expect(flushes).toHaveLength(1)
		expect(last()).toMatchObject({ completed: 10, errors: 4 })
		expect(last('d')).toMatchObject({ started: 3 })
		// The next flush ends the one before, however soon it comes.
		stream.flush(completed(21))
		stream.flush(completed(22))
		expect(flushes).toHaveLength(3)
	})

	/** A message of values of one flush, each of a cluster of its own or all of the same one. */
	const startedAt = (names: readonly string[]) =>
		metricsMessage({ atMs: 1, metrics: names.flatMap((name) => clusterMetrics(name, { upstream_rq_total: 1 })) })

	test('a flush that tells of more than is remembered is not waited for', () => {
		const { connect, flushes } = setUp()
		const { handler, flush } = connect(1)
		flush([])
		for (let from = 0; from <= limits.flushClusters; from += 2000)
			handler.receive(startedAt(Array.from({ length: 2000 }, (_, index) => `c${from + index}`)))
		expect(flushes.map(({ clusters }) => clusters.size)).toEqual([limits.flushClusters + 2000])
	})

	test('nor one that never pauses', () => {
		const { connect, flushes } = setUp()
		const { handler, flush } = connect(1)
		flush([])
		const same = startedAt(Array(2000).fill('c'))
		for (let message = 0; message < 100; message += 1) handler.receive(same)
		expect(flushes).toHaveLength(1)
	})

	test('times of requests are those of the flush alone, and none of a first one', () => {
		const { connect, last } = setUp()
		const { flush } = connect(1, 'host-1')
		const times = { samples: 3, edgesMs: [5], atMost: [2] }
		flush([...completed(10), requestTimes('c', times)])
		expect(last()).toMatchObject({ counted: false, times: null })
		flush(completed(13), [requestTimes('c', times)])
		expect(last()).toMatchObject({ completed: 3, times })
		flush(completed(13))
		expect(last()).toMatchObject({ completed: 0, times: null })
	})

	test('loses nothing over a reconnect of a joined proxy', () => {
		const { connect, last } = setUp()
		const before = connect(1, 'host-1')
		before.flush(completed(100))
		expect(last()).toMatchObject({ counted: false })
		before.handler.closed('cancelled')
		const after = connect(2, 'host-1')
		after.flush(completed(170))
		expect(last()).toMatchObject({ counted: true, completed: 70 })
	})

	test('a joined proxy that was started anew counts from 0', () => {
		const { connect, last } = setUp()
		const before = connect(1, 'host-1')
		before.flush([...completed(100), uptime(60)])
		last()
		before.handler.closed('cancelled')
		connect(2, 'host-1').flush([...completed(130), uptime(2)])
		expect(last()).toMatchObject({ counted: true, completed: 130 })
	})

	test('an unjoined proxy begins anew with its connection', () => {
		const { connect, last, receiver } = setUp()
		const before = connect(1)
		before.flush(completed(100))
		expect(last()).toMatchObject({ proxy: unjoined })
		before.handler.closed('cancelled')
		expect(receiver.hasPushed(unjoined)).toBe(false)
		connect(2).flush(completed(170))
		expect(last()).toMatchObject({ proxy: 'mesh/apps/virtualNode/a#connection-2', counted: false })
	})

	test('of two streams of one proxy the newer counts', () => {
		const { connect, flushes, clock } = setUp()
		const old = connect(1, 'host-1')
		old.flush(completed(100))
		clock.advance(20)
		connect(2, 'host-1').flush(completed(110))
		clock.advance(20)
		old.flush(completed(500))
		clock.advance(20)
		expect(flushes.map(({ clusters }) => clusters.get('c')?.completed)).toEqual([0, 10])
	})

	test('who leaves without a flush has pushed none', () => {
		const { connect, receiver } = setUp()
		const stream = connect(1, 'host-1')
		stream.flush([])
		stream.handler.closed('cancelled')
		expect(receiver.hasPushed(joined)).toBe(false)
	})

	test('knows who has pushed, and for a while who has left', () => {
		const { connect, receiver, clock, last } = setUp()
		expect(receiver.hasPushed(joined)).toBe(false)
		const stream = connect(1, 'host-1')
		stream.flush()
		expect(receiver.hasPushed(joined)).toBe(false)
		stream.flush(completed(100))
		clock.advance(limits.flushGapMs)
		stream.handler.closed('cancelled')
		clock.advance(limits.xdsGoneMs)
		expect(receiver.hasPushed(joined)).toBe(true)
		clock.advance(1)
		connect(2, 'host-2').flush(completed(1))
		expect(receiver.hasPushed(joined)).toBe(false)
		connect(3, 'host-1').flush(completed(170))
		expect(last()).toMatchObject({ proxy: joined, counted: false })
	})

	test('a stream of which nothing comes is ended, and one that has spoken is not', () => {
		const { clock, connect } = setUp()
		const [silent, speaking] = [connect(1), connect(2, 'host-1')]
		speaking.flush(completed(1))
		clock.advance(limits.xdsSilentMs)
		expect(silent.ended()?.code).toBe('UNAVAILABLE')
		expect(speaking.ended()).toBeNull()
	})

	test.for<[string, (handler: CallHandler) => void, string]>([
		['no node', (it) => it.receive(metricsMessage({ atMs: 1, metrics: completed(1) })), 'INVALID_ARGUMENT'],
		['no message', (it) => it.receive(Uint8Array.of(0x12, 0xff)), 'INVALID_ARGUMENT'],
		['no identity', (it) => it.receive(metricsMessage({ atMs: 1, metrics: [], nodeId: 'x' })), 'INVALID_ARGUMENT'],
		[
			'another identity',
			(it) => {
				it.receive(metricsMessage({ atMs: 1, metrics: [], nodeId }))
				it.receive(metricsMessage({ atMs: 1, metrics: completed(1), nodeId: 'mesh/apps/virtualNode/b' }))
			},
			'PERMISSION_DENIED',
		],
	])('%s ends the stream', ([, act, code]) => {
		const { connect, flushes } = setUp()
		const { handler, ended } = connect(1)
		act(handler)
		expect(ended()?.code).toBe(code)
		handler.receive(metricsMessage({ atMs: 2, metrics: completed(1), nodeId }))
		expect(flushes).toEqual([])
	})
})
