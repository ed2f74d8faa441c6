import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createTrafficMeter } from '#controller/traffic-meter.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { idleCluster } from '../../fixtures/cluster-flush.ts'

function flush(clusters: Readonly<Record<string, Partial<ClusterFlush>>>, counted = true): Flush {
	const named = Object.entries(clusters).map(([name, counts]) => [name, { ...idleCluster, ...counts }] as const)
	return { proxy: 'p', arrivedMs: 0, counted, clusters: new Map(named), unrouted: 0 }
}

test('all proxies of the last minute are added up by cluster', () => {
	const clock = createManualClock()
	const meter = createTrafficMeter(clock)
	for (let second = 0; second < 30; second += 1) {
		meter.add(flush({ a: { completed: 10, errors: 1 }, b: { connects: 2, connectFailures: 1 }, quiet: {} }))
		meter.add(flush({ a: { completed: 5 } }))
		clock.advance(1000)
	}
	const { seconds, clusters } = meter.read()
	expect(seconds).toBe(30)
	expect(clusters).toEqual({
		a: { completed: 450, errors: 30, connects: 0, connectFailures: 0 },
		b: { completed: 0, errors: 0, connects: 60, connectFailures: 30 },
	})
})

test('what is older than the window is no traffic of now', () => {
	const clock = createManualClock()
	const meter = createTrafficMeter(clock)
	for (let second = 0; second < 300; second += 1) {
		meter.add(flush({ [second < 200 ? 'before' : 'now']: { completed: 10 } }))
		clock.advance(1000)
	}
	const { seconds, clusters } = meter.read()
	expect(Object.keys(clusters)).toEqual(['now'])
	expect(seconds).toBeGreaterThanOrEqual(50)
	expect(seconds).toBeLessThanOrEqual(70)
	expect((clusters.now?.completed ?? 0) / seconds).toBeCloseTo(10)
	clock.advance(120_000)
	expect(meter.read()).toEqual({ seconds: 0, clusters: {} })
})

test('a first flush sets a starting point and counts nothing', () => {
	const meter = createTrafficMeter(createManualClock())
	meter.add(flush({ a: { completed: 1_000_000 } }, false))
	expect(meter.read().clusters).toEqual({})
})

test('of more clusters than anybody has the later ones are left out', () => {
	const clock = createManualClock()
	const meter = createTrafficMeter(clock)
	const many = Array.from({ length: limits.trafficClusters + 10 }, (_, index) => [`c${index}`, { completed: 1 }])
	meter.add(flush(Object.fromEntries(many)))
	meter.add(flush({ c0: { completed: 1 } }))
	const { clusters } = meter.read()
	expect([Object.keys(clusters).length, clusters.c0?.completed]).toEqual([limits.trafficClusters, 2])
})
