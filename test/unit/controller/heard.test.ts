import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createHeard } from '#controller/heard.ts'
import type { ClusterFlush } from '#telemetry/flush.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { answeredCluster, idleCluster } from '../../fixtures/cluster-flush.ts'

function setUp() {
	const clock = createManualClock()
	const heard = createHeard(clock)
	/** Whether that was news. */
	function say(clusters: Readonly<Record<string, ClusterFlush>>, proxy = 'p'): boolean {
		const about = { proxy, arrivedMs: clock.monotonicMs(), counted: true, unrouted: 0 }
		return heard.take({ ...about, clusters: new Map(Object.entries(clusters)) })
	}
	const hosts = (cluster: string) => heard.lastOf('p')?.clusters.get(cluster)?.healthyHosts
	return { clock, heard, say, hosts }
}

const without = { ...idleCluster, healthyHosts: 0 }

describe('what a proxy said last', () => {
	test('is all of its last flush, and nothing of those before', () => {
		const { heard, say, hosts } = setUp()
		say({ a: answeredCluster(3), b: { ...answeredCluster(4), open: 7 } })
		expect(heard.lastOf('p')).toMatchObject({ requests: 7 })
		say({ b: without, c: idleCluster })
		expect([hosts('a'), hosts('b'), hosts('c')]).toEqual([undefined, 0, 1])
		expect(heard.lastOf('p')?.requests).toBe(0)
		expect(heard.lastOf('p')?.clusters.get('b')).toEqual({ healthyHosts: 0, open: 0 })
	})

	test.for<[string, Record<string, ClusterFlush>, boolean]>([
		['the same', { a: idleCluster, b: without }, false],
		['other counts', { a: answeredCluster(9), b: without }, false],
		['other hosts', { a: idleCluster, b: idleCluster }, true],
		['a cluster less', { a: idleCluster }, true],
		['a cluster more', { a: idleCluster, b: without, c: without }, true],
		['another cluster in place of one', { a: idleCluster, c: without }, true],
	])('is news when hosts are others: %s', ([, next, expected]) => {
		const { say } = setUp()
		expect(say({ a: idleCluster, b: without })).toBe(true)
		expect(say(next)).toBe(expected)
		expect(say(next)).toBe(false)
	})

	test('is news after a silence, in which clusters are kept no longer', () => {
		const { clock, heard, say, hosts } = setUp()
		say({ a: idleCluster })
		expect(heard.sweep()).toBe(false)
		clock.advance(limits.silentAfterMs + 1)
		expect([heard.isSilent('p'), heard.sweep(), heard.sweep()]).toEqual([true, true, false])
		expect(hosts('a')).toBeUndefined()
		expect(say({ a: idleCluster })).toBe(true)
		expect([hosts('a'), heard.isSilent('p'), heard.sweep()]).toEqual([1, false, true])
	})

	test('is forgotten with whoever is gone for good', () => {
		const { clock, heard, say } = setUp()
		say({ a: idleCluster })
		clock.advance(limits.xdsGoneMs + 1)
		heard.sweep()
		expect(heard.lastOf('p')).toBeUndefined()
	})
})
