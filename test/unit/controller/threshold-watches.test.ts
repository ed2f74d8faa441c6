import { beforeEach, describe, expect, test } from 'vitest'
import { createMetrics } from '#api/metrics.ts'
import { renderStatus } from '#cli/status-text.ts'
import type { Measurement } from '#guard/look.ts'
import type { ThresholdGuard, ThresholdSource } from '#mesh/mesh.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

const query =
	'rate(f{mesh="{{mesh}}",router="{{virtualRouter}}",route="{{route}}",to=~"{{canary}}|{{ baseline }}"}[{{window}}])'
const guard: ThresholdGuard = {
	kind: 'threshold',
	name: 'failures',
	source: { kind: 'prometheus', address: 'http://p:9090', query, credentials: null },
	min: null,
	max: 0.5,
	intervalMs: 1_000,
	windowMs: 1_000,
	minMeasurements: 2,
	breaches: { count: 2, of: 3 },
	onNoData: 'hold',
}

let daemon: DaemonInMemory
let sequence: number

beforeEach(async () => {
	daemon = await startInMemory()
	sequence = 0
})

function start(source: ThresholdSource = guard.source): void {
	const policy = { ...twoSteps, guards: [...twoSteps.guards, { ...guard, source }] }
	daemon.commit({ weights: [1, 1], policy })
}

function answer(measurement: Measurement, rollout = 'B/B#1'): void {
	sequence += 1
	daemon.controller.takeMeasurement({ kind: 'measurement', rollout, guard: 'failures', sequence, measurement })
}

const figure = (value: number): Measurement => ({ kind: 'value', value, ageMs: 0 })
const rollout = () => daemon.face.status().rollouts[0]
const show = () => renderStatus(daemon.face.status(), { color: false })

/** A figure every second, for as long as the daemon asks. */
async function passMeasured(seconds: number, measurement: Measurement): Promise<void> {
	for (let second = 0; second < seconds; second += 1) {
		if (daemon.watched().length > 0) answer(measurement)
		await daemon.pass(1_000)
	}
}

describe('who is asked', () => {
	test('from the first step on, with the names of the rollout in the query, until it is over', async () => {
		expect(daemon.watched()).toEqual([])
		start()
		await daemon.pass(2_000)
		expect(daemon.watched()).toEqual([
			{
				rollout: 'B/B#1',
				guard: 'failures',
				question: {
					source: { ...guard.source, query: 'rate(f{mesh="apps",router="B",route="B",to=~"Bv2|B"}[1s])' },
					windowMs: 1_000,
				},
				intervalMs: 1_000,
			},
		])
		await daemon.command({ kind: 'abort', rollout: 'B/B#1', actor: 'ada', reason: 'r' })
		expect(daemon.watched()).toEqual([])
	})

	test('names in a URL are encoded', async () => {
		start({
			kind: 'http',
			url: 'http://x/{{canary}}?all={{canary}}|{{window}}',
			value: '',
			time: null,
			credentials: null,
		})
		await daemon.pass(2_000)
		expect(daemon.watched()[0]?.question.source).toMatchObject({ url: 'http://x/Bv2?all=Bv2|1s' })
	})
})

describe('who is asked in CloudWatch', () => {
	test('variables stand in dimensions and in names of alarms', async () => {
		const metric = { namespace: 'Shop', metricName: 'm', statistic: 'Sum', minSamples: 1, region: null }
		start({ kind: 'cloudWatchMetric', ...metric, dimensions: { Version: '{{canary}}', Mesh: 'x-{{mesh}}' } })
		await daemon.pass(2_000)
		expect(daemon.watched()[0]?.question.source).toMatchObject({ dimensions: { Version: 'Bv2', Mesh: 'x-apps' } })
	})

	test('of an alarm, too', async () => {
		start({ kind: 'cloudWatchAlarm', names: ['all', '{{canary}} late'], region: null })
		await daemon.pass(2_000)
		expect(daemon.watched()[0]?.question.source).toMatchObject({ names: ['all', 'Bv2 late'] })
	})
})

describe('what a figure does', () => {
	test('in bounds, the rollout goes through; status shows the figure', async () => {
		start()
		await passMeasured(10, figure(0.25))
		expect(show()).toMatch(/threshold failures: 0\.25, at most 0\.5; \d+ of 2 measurements in bounds at this step/)
		const metrics = await createMetrics({ face: daemon.face, version: '1' }).render()
		expect(metrics).toContain('sluice_threshold_value{rollout="B/B#1",threshold="failures"} 0.25')
		await passMeasured(40, figure(0.25))
		expect(rollout()?.phase).toBe('succeeded')
	})

	test('out of bounds, it goes back though no proxy sees an error', async () => {
		start()
		await daemon.pass(3_000)
		await passMeasured(3, figure(0.75))
		expect(rollout()).toMatchObject({
			phase: 'rolledBack',
			cause: { by: 'guard', reason: 'failures: 0.75 is above 0.5, 2 of the last 2 measurements' },
		})
	})

	test('out of bounds, it goes back though the disk is full', async () => {
		start()
		await daemon.pass(3_000)
		daemon.fillDisk()
		await passMeasured(3, figure(0.75))
		expect(rollout()?.text).toMatch(/^rolled back, not yet durable/)
	})

	test('no data holds, in the words of the source', async () => {
		start()
		await passMeasured(30, { kind: 'noData', reason: 'http://p:9090 does not answer (ECONNREFUSED)' })
		expect(rollout()).toMatchObject({ phase: 'held', step: 1 })
		expect(rollout()?.holds).toEqual([
			{ code: 'NO_DATA', text: 'failures has no data: http://p:9090 does not answer (ECONNREFUSED)' },
		])
		await passMeasured(40, figure(0.25))
		expect(rollout()?.phase).toBe('succeeded')
	})

	test('no answer at all holds', async () => {
		start()
		await daemon.pass(30_000)
		expect(rollout()?.holds).toEqual([{ code: 'NO_DATA', text: 'failures: no measurement yet' }])
	})

	test('answers that wait for a turn are one: the newest', async () => {
		start()
		await daemon.pass(3_000)
		// The first is taken by the turn that it causes; of those that come meanwhile, the last.
		for (const value of [0.75, 0.75, 0.75, 0.25]) answer(figure(value))
		await daemon.pass(1_000)
		expect(rollout()).toMatchObject({ phase: 'stepping', thresholds: [{ value: 0.25, breaches: 1 }] })
	})

	test('an answer of a rollout that is over changes nothing', async () => {
		start()
		await daemon.pass(3_000)
		await daemon.command({ kind: 'abort', rollout: 'B/B#1', actor: 'ada', reason: 'r' })
		const before = daemon.face.status().rollouts
		answer(figure(0.75))
		answer(figure(0.75), 'nobody')
		await daemon.pass(1_000)
		expect(daemon.face.status().rollouts).toEqual(before)
	})
})
