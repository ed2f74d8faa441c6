import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createEvidence, type EvidenceEvent, type Watch } from '#controller/evidence.ts'
import type { ClusterFlush } from '#telemetry/flush.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { answeredCluster } from '../../fixtures/cluster-flush.ts'

const canary = 'mesh/apps/virtualNode/Bv2:80'
const parameters = {
	alpha: 0.01,
	toleranceRatio: 1.25,
	tolerancePpm: 500,
	absoluteLimitPpm: 50_000,
	hardLimitPpm: 500_000,
	phi: { value: 3, source: 'default' as const },
	steps: 2,
}

function setUp(warmUpMs: number) {
	const clock = createManualClock()
	const events: EvidenceEvent[] = []
	const evidence = createEvidence({ clock, emit: (event) => events.push(event) })
	const watch = (step: number): Watch => ({
		rollout: 'B/B#1',
		step,
		lanes: [{ name: '', canaries: new Map([[canary, 'v2']]), baseline: ['v1'] }],
		beside: [],
		unit: 'requests',
		isCandidate: null,
		parameters,
		edgesMs: [],
		expectedShares: {},
		warmUpMs,
		zoneOf: () => '',
		sharesOf: () => `step ${step}`,
		endpointsOf: () => [],
		expected: () => ['p'],
	})
	const second = (errors: number) => {
		clock.advance(1000)
		const clusters = new Map([
			['v2', answeredCluster(10, errors)],
			['v1', answeredCluster(90, 0)],
		])
		evidence.takeFlush({ proxy: 'p', arrivedMs: clock.monotonicMs(), counted: true, clusters, unrouted: 0 })
	}
	const looks = () => events.flatMap((event) => (event.kind === 'look' ? [event] : []))
	const pass = (seconds: number, errors: number) => {
		for (let index = 0; index < seconds; index += 1) second(errors)
	}
	return { clock, evidence, watch, pass, looks, events }
}

describe('looks', () => {
	test('what was counted before the warm-up was over is in no look that is judged', () => {
		const { evidence, watch, pass, looks } = setUp(2000)
		evidence.watch([watch(0)])
		pass(2, 4)
		pass(7, 0)
		const judged = looks().filter(({ look }) => !look.warmingUp)
		expect(judged.map(({ look }) => look.canaries[canary]?.final.canary.errors)).toEqual([0])
		expect(looks()[0]?.look).toMatchObject({ warmingUp: true, stepStart: true })
	})

	test('are counted from the step: the first judged one comes a warm-up, a flush and a look later', () => {
		const { evidence, watch, pass, looks } = setUp(2000)
		evidence.watch([watch(0)])
		pass(3, 0)
		evidence.watch([watch(1)])
		const before = looks().length
		pass(7, 0)
		expect(
			looks()
				.slice(before)
				.filter(({ look }) => !look.warmingUp),
		).toEqual([])
		pass(2, 0)
		expect(looks().at(-1)).toMatchObject({ step: 1, look: { warmingUp: false } })
	})

	test('a proxy without flushes is silent, and the look says so', () => {
		const { evidence, watch, looks } = setUp(0)
		const other = { ...watch(0), expected: () => ['p', 'q'] }
		evidence.watch([other])
		expect(evidence.isSilent('q')).toBe(true)
		expect(looks()).toEqual([])
	})
})

test('the hard limit sees a bad flush on each side of a step, warm-up or not', () => {
	const { evidence, watch, pass, events } = setUp(60_000)
	evidence.watch([watch(0)])
	pass(1, 0)
	const bad = () => pass(2, 10)
	bad()
	evidence.watch([watch(1)])
	bad()
	expect(events.some(({ kind }) => kind === 'alarm')).toBe(true)
	expect(limits.lookIntervalMs).toBe(5000)
})

test('times of requests are wanted while they are judged, and no longer', () => {
	const { evidence, watch } = setUp(0)
	const latency = { edgeMs: null, toleranceRatio: 1, tolerancePpm: 0 }
	const judging = { ...watch(0), parameters: { ...parameters, latency } }
	const wanted = [[watch(0)], [watch(0), judging], [{ ...watch(0), edgesMs: [50] }], []].map((watches) => {
		evidence.watch(watches)
		return evidence.wantsTimes()
	})
	expect(wanted).toEqual([false, true, true, false])
})

describe('a TCP route is counted in connections', () => {
	/** A flush of TCP clusters as Envoy has them: no answers, and open connections are active. */
	const flushOf = (connects: number, connectFailures: number): ClusterFlush => ({
		open: 0,
		completed: 0,
		errors: 0,
		retries: 0,
		started: connects - connectFailures,
		times: null,
		active: 500,
		connects,
		connectFailures,
		healthyHosts: 1,
		hosts: 1,
	})

	function play(unit: Watch['unit'], canaryFailures: number) {
		const { clock, evidence, watch, looks, events } = setUp(0)
		evidence.watch([{ ...watch(0), unit }])
		for (let second = 1; second <= 12; second += 1) {
			clock.advance(1000)
			const clusters = new Map([
				['v2', flushOf(40, canaryFailures)],
				['v1', flushOf(60, 0)],
			])
			// `unrouted`: requests of an HTTP route of the same proxy.
			evidence.takeFlush({ proxy: 'p', arrivedMs: clock.monotonicMs(), counted: true, clusters, unrouted: 7 })
		}
		const counts = looks().map(({ look }) => look.canaries[canary]?.final)
		return { last: counts.at(-1), alarms: events.filter(({ kind }) => kind === 'alarm').length }
	}

	test('those that were made are successes, and what HTTP counts is none of its affair', () => {
		const { last, alarms } = play('connections', 1)
		expect(last).toMatchObject({ canary: { requests: 200, errors: 5 }, baseline: { requests: 300, errors: 0 } })
		expect(alarms).toBe(0)
	})

	test('half of them fail: the hard limit acts', () => {
		expect(play('connections', 20).alarms).toBeGreaterThan(0)
	})

	test('counted in requests nothing would be seen of it', () => {
		expect(play('requests', 20).last?.canary).toEqual({ requests: 35, errors: 35 })
	})
})

test('a canary that runs Envoys of its own tells its endpoints apart, and edges and shares are asked for', () => {
	const { clock, evidence, watch, looks } = setUp(0)
	const asked = {
		...watch(0),
		parameters: { ...parameters, latency: { edgeMs: 50, toleranceRatio: 1.25, tolerancePpm: 500 } },
		edgesMs: [50],
		expectedShares: { [canary]: 0.1 },
		zoneOf: (proxy: string) => (proxy === 'p' ? '' : null),
		endpointsOf: (proxy: string) => (proxy === 'p' ? [] : [{ canary, cluster: 'own' }]),
	}
	evidence.watch([asked])
	const times = { samples: 10, edgesMs: [50], atMost: [8] }
	const none = {
		open: 0,
		retries: 0,
		started: 0,
		connects: 0,
		connectFailures: 0,
		active: 0,
		healthyHosts: 1,
		hosts: 1,
	}
	for (let second = 0; second < 7; second += 1) {
		clock.advance(1000)
		const arrived = { arrivedMs: clock.monotonicMs(), counted: true, unrouted: 0 }
		const ofCaller = new Map([
			['v2', { ...none, completed: 10, errors: 2, times }],
			['v1', { ...none, completed: 10, errors: 0, times }],
		])
		evidence.takeFlush({ proxy: 'p', ...arrived, clusters: ofCaller })
		for (const [proxy, errors] of [['host-1', 2] as const, ['host-2', 0] as const]) {
			const own = { ...none, completed: 5, errors, times: null }
			evidence.takeFlush({ proxy, ...arrived, clusters: new Map([['own', own]]) })
		}
	}
	const last = looks().at(-1)?.look.canaries[canary]
	expect(last?.withoutWorst?.worst).toMatchObject({ endpoint: 'host-1', endpoints: 2 })
	expect(last?.latency).toMatchObject([{ edgeMs: 50, incomplete: 0 }])
	expect(last?.share).toMatchObject({ expected: 0.1 })
})
