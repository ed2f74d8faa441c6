import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { type CumulativeValues, createCounters, createSpareValues } from '#telemetry/counters.ts'
import { idleCluster } from '../../fixtures/cluster-flush.ts'
import { type ClusterValues, readingsOf } from '../../fixtures/readings.ts'

function flush(
	clusters: Readonly<Record<string, ClusterValues>>,
	rest: { uptimeS?: number; times?: Record<string, RequestTimes>; unrouted?: Record<string, number> } = {},
): CumulativeValues {
	return {
		readings: readingsOf(clusters),
		times: new Map(Object.entries(rest.times ?? {})),
		unrouted: new Map(Object.entries(rest.unrouted ?? {})),
		uptimeS: rest.uptimeS ?? null,
	}
}

/** Each is a whole flush. */
function startCounting() {
	const counters = createCounters()
	return {
		...counters,
		add(values: CumulativeValues) {
			counters.take(values)
			return counters.close()
		},
	}
}

const none = { ...idleCluster, healthyHosts: 0, hosts: 0 }

describe('createCounters', () => {
	test('the first flush only sets the starting point, but its gauges count', () => {
		const counters = startCounting()
		expect(
			counters.add(
				flush({ a: { completed: 100, errors: 3, active: 2, healthyHosts: 1, hosts: 2 } }, { unrouted: { x: 9 } }),
			),
		).toEqual({
			counted: false,
			clusters: new Map([['a', { ...none, active: 2, healthyHosts: 1, hosts: 2 }]]),
			unrouted: 0,
			unmatched: 0,
		})
	})

	test.for<[string, ClusterValues, ClusterValues, ClusterValues]>([
		[
			'increments',
			{ completed: 100, errors: 3, retries: 1, started: 101 },
			{ completed: 150, errors: 4, retries: 1, started: 153 },
			{ completed: 50, errors: 1, retries: 0, started: 52 },
		],
		[
			'a counter that appears counts from 0',
			{ completed: 100 },
			{ completed: 110, errors: 7 },
			{ completed: 10, errors: 7 },
		],
		[
			'a smaller one was reset',
			{ completed: 100, errors: 5 },
			{ completed: 24, errors: 2 },
			{ completed: 24, errors: 2 },
		],
		['nothing happened', { completed: 100 }, { completed: 100 }, { completed: 0 }],
		[
			'gauges are as they are',
			{ active: 5, healthyHosts: 1 },
			{ active: 2, healthyHosts: 3 },
			{ active: 2, healthyHosts: 3 },
		],
	])('%s', ([, before, after, expected]) => {
		const counters = startCounting()
		counters.add(flush({ a: before }))
		expect(counters.add(flush({ a: after }))).toEqual({
			counted: true,
			clusters: new Map([['a', { ...none, ...expected }]]),
			unrouted: 0,
			unmatched: 0,
		})
	})

	test('a new cluster counts from 0, one that was not reported goes on from where it was', () => {
		const counters = startCounting()
		counters.add(flush({ a: { completed: 100 } }))
		expect(counters.add(flush({ b: { completed: 7 } })).clusters.get('b')?.completed).toBe(7)
		expect(counters.add(flush({ a: { completed: 130 } })).clusters.get('a')?.completed).toBe(30)
	})

	test('a proxy that started anew counts from 0, however much it has counted since', () => {
		const counters = startCounting()
		counters.add(flush({ a: { completed: 10 } }, { uptimeS: 500, unrouted: { x: 4 } }))
		counters.add(flush({ a: { completed: 12 } }, { uptimeS: 501, unrouted: { x: 5 } }))
		const { clusters, unrouted } = counters.add(flush({ a: { completed: 40 } }, { uptimeS: 3, unrouted: { x: 6 } }))
		expect([clusters.get('a')?.completed, unrouted]).toEqual([40, 6])
	})

	test('a flush comes in parts, in any order, and of what is told twice the later counts', () => {
		const counters = startCounting()
		const times = { samples: 3, edgesMs: [5], atMost: [2] }
		counters.add(flush({ a: { completed: 10 }, b: { completed: 1 } }, { uptimeS: 500 }))
		counters.take(flush({ a: { completed: 11 } }, { times: { a: times, unknown: times } }))
		counters.take(flush({ b: { errors: 1 } }, { uptimeS: 501 }))
		counters.take(flush({ a: { completed: 12, errors: 1 } }))
		const { clusters } = counters.close()
		expect(clusters.get('a')).toEqual({ ...none, completed: 2, errors: 1, times })
		expect(clusters.get('b')).toEqual({ ...none, errors: 1 })
		expect(clusters.size).toBe(2)
		expect(counters.add(flush({ a: { completed: 13 } })).clusters.get('a')).toEqual({ ...none, completed: 1 })
	})

	test('a flush that is dropped is none: what it counted comes with the next', () => {
		const counters = startCounting()
		counters.add(flush({ a: { completed: 10 } }, { uptimeS: 500, unrouted: { x: 1 } }))
		counters.take(flush({ a: { completed: 15, active: 9 } }, { uptimeS: 1, unrouted: { x: 4 } }))
		counters.drop()
		const { clusters, unrouted } = counters.add(flush({ a: { completed: 17 } }, { uptimeS: 502 }))
		expect([clusters.get('a'), unrouted]).toEqual([{ ...none, completed: 7 }, 0])
	})

	test('what one proxy told is nothing that another did', () => {
		const spare = createSpareValues()
		const [one, other] = [createCounters(spare), createCounters(spare)]
		for (const healthyHosts of [3, 4]) {
			one.take(flush({ a: { completed: 10, healthyHosts } }))
			one.close()
		}
		other.take(flush({ a: { active: 1 } }))
		expect(other.close().clusters.get('a')).toEqual({ ...none, active: 1 })
	})

	test('requests that found no route or cluster are summed', () => {
		const counters = startCounting()
		counters.add(flush({}, { unrouted: { route: 1, cluster: 1 } }))
		expect(counters.add(flush({}, { unrouted: { route: 3, cluster: 2 } })).unrouted).toBe(3)
	})

	test('requests that no route took are told apart from those that no cluster did', () => {
		const counters = startCounting()
		counters.add(flush({}, { unrouted: { 'egress http.no_route': 5, 'egress http.no_cluster': 1 } }))
		const more = { 'egress http.no_route': 9, 'egress http.no_cluster': 2 }
		expect(counters.add(flush({}, { unrouted: more }))).toMatchObject({ unrouted: 1, unmatched: 4 })
	})

	test('remembers no more clusters than it may', () => {
		const counters = startCounting()
		const named = (from: number, to: number) =>
			flush(Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`c${from + index}`, { completed: 1 }])))
		counters.take(named(0, 10))
		counters.take(named(10, limits.flushClusters + 10))
		expect(counters.isOverfull()).toBe(true)
		counters.close()
		expect(counters.add(flush({ c0: { completed: 1 } })).clusters.get('c0')?.completed).toBe(1)
		expect(counters.add(flush({ c0: { completed: 1 } })).clusters.get('c0')?.completed).toBe(0)
		expect(counters.size()).toBe(limits.flushClusters)
	})

	test('nor reads more of one message', () => {
		const counters = startCounting()
		const many = Array.from({ length: limits.flushClusters + 10 }, (_, index) => [`c${index}`, { completed: 1 }])
		expect(counters.add(flush(Object.fromEntries(many))).clusters.size).toBe(limits.flushClusters)
	})

	test('and forgets first those that were counted longest ago', () => {
		const counters = startCounting()
		counters.add(flush({ busy: { completed: 1 }, idle: { completed: 1 } }))
		for (let index = 0; index < 2 * limits.flushClusters; index += 1000) {
			const many = Array.from({ length: 1000 }, (_, offset) => [`c${index + offset}`, { completed: 1 }])
			counters.add(flush({ busy: { completed: index + 2 }, ...Object.fromEntries(many) }))
		}
		const { clusters } = counters.add(flush({ busy: { completed: 2 * limits.flushClusters }, idle: { completed: 5 } }))
		expect(clusters.get('busy')?.completed).toBe(998)
		expect(clusters.get('idle')?.completed).toBe(5)
	})

	test('nor more listeners of which requests had no way', () => {
		const counters = startCounting()
		const unrouted = (names: readonly string[]) =>
			flush({}, { unrouted: Object.fromEntries(names.map((name) => [`egress.${name} http.no_cluster`, 1])) })
		counters.add(unrouted(Array.from({ length: limits.flushClusters + 10 }, (_, index) => `${index}`)))
		expect(counters.add(unrouted(['0'])).unrouted).toBe(1)
		expect(counters.add(unrouted(['0'])).unrouted).toBe(0)
	})
})

// Each pair was seen on a real Envoy 1.40: what it adds to its counters for a call.
test.for<[string, ClusterValues, Partial<typeof none>]>([
	['gRPC 13 in the trailers of a 200', { completed: 1, grpcInternal: 1 }, { completed: 1, errors: 1 }],
	['503 of Envoy itself, which says 14', { completed: 1, errors: 1, grpcUnavailable: 1 }, { completed: 1, errors: 1 }],
	['503 of a server that speaks no gRPC', { completed: 1, errors: 1 }, { completed: 1, errors: 1 }],
	[
		'all the statuses that are the fault of the server',
		{ completed: 9, grpcUnknown: 1, grpcDeadlineExceeded: 1, grpcUnimplemented: 1, grpcInternal: 1, grpcDataLoss: 1 },
		{ completed: 9, errors: 5 },
	],
	['a TCP connection refused', { connects: 1, connectFailures: 1 }, { connects: 1, connectFailures: 1 }],
	['a TCP connection made', { connects: 1, started: 1 }, { connects: 1, started: 1 }],
	['a TCP connection without a host', { withoutHost: 1 }, { connects: 1, connectFailures: 1 }],
])('counts once: %s', ([, values, expected]) => {
	const counters = startCounting()
	counters.add(flush({ a: {} }))
	expect(counters.add(flush({ a: values })).clusters.get('a')).toEqual({ ...none, ...expected })
})
