// The sources of figures in CloudWatch, by AWS's own client against moto's server, which speaks AWS's own protocol.
import {
	CloudWatchClient,
	type Dimension,
	PutMetricAlarmCommand,
	PutMetricDataCommand,
	SetAlarmStateCommand,
	type StateValue,
} from '@aws-sdk/client-cloudwatch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findMoto } from '#lab/find-moto.ts'
import { type Moto, startMoto } from '#lab/moto.ts'
import { createAwsCloudWatch } from '#telemetry/aws-cloud-watch.ts'
import { createMeasurementSource } from '#telemetry/measure.ts'
import type { MeasurementSource, Question } from '#telemetry/measurement.ts'
import { describeMeasurementSource } from '../conformance/measurement-source.ts'

const windowMs = 60_000
/** Now, as the sources see it: at the end of a period. The figures of the newest whole one are half a period old. */
const nowMs = Math.floor(Date.now() / windowMs) * windowMs
const environment = {
	AWS_REGION: 'eu-west-1',
	AWS_ACCESS_KEY_ID: 'test',
	AWS_SECRET_ACCESS_KEY: 'test-secret',
	AWS_SESSION_TOKEN: 'test-session',
}
let moto: Moto
let aws: CloudWatchClient
let source: MeasurementSource
let metrics = 0

beforeAll(async () => {
	const found = await findMoto({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	moto = await startMoto({ moto: found.value })
	// The client of AWS looks for its settings in the environment of its process, and nowhere else.
	Object.assign(process.env, environment, { AWS_ENDPOINT_URL: moto.endpoint })
	aws = new CloudWatchClient({ maxAttempts: 1 })
	source = createMeasurementSource({
		ask: async () => ({ ok: false, error: 'nobody is asked by HTTP' }),
		cloudWatch: createAwsCloudWatch(),
		wallMs: () => nowMs,
	})
})
afterAll(async () => {
	aws.destroy()
	await moto[Symbol.asyncDispose]()
	for (const name of [...Object.keys(environment), 'AWS_ENDPOINT_URL']) delete process.env[name]
})

const ask = (question: Question) => source.ask(question, AbortSignal.timeout(20_000))
const dimensions: Dimension[] = [
	{ Name: 'Version', Value: 'Bv2' },
	{ Name: 'Zone', Value: 'a' },
]
const metricQuestion = (name: string, change: Readonly<Record<string, unknown>> = {}): Question => ({
	source: {
		kind: 'cloudWatchMetric',
		namespace: 'Shop',
		metricName: name,
		dimensions: { Version: 'Bv2', Zone: 'a' },
		statistic: 'Average',
		minSamples: 1,
		region: null,
		...change,
	},
	windowMs,
})

async function put(name: string, figures: readonly number[], ageMs = windowMs / 2): Promise<void> {
	const metricData = figures.map((figure) => ({
		MetricName: name,
		Value: figure,
		Timestamp: new Date(nowMs - ageMs),
		Dimensions: dimensions,
	}))
	await aws.send(new PutMetricDataCommand({ Namespace: 'Shop', MetricData: metricData }))
}

describeMeasurementSource('a CloudWatch metric', {
	open: async () => {
		metrics += 1
		const name = `Figure${metrics}`
		return {
			source,
			question: metricQuestion(name),
			give: (figure) => put(name, [figure]),
			troubles: { hanging: async () => moto.pause() },
			dispose: async () => moto.resume(),
		}
	},
	figures: [0.25, 0, -3],
	troubles: ['hanging'],
})

test('a statistic of the newest whole window, of all dimensions, with enough samples', async () => {
	await put('Orders', [1, 2, 6])
	await put('Orders', [100], windowMs + 1_000)
	expect(await ask(metricQuestion('Orders', { statistic: 'Sum' }))).toEqual({ kind: 'value', value: 9, ageMs: 0 })
	expect(await ask(metricQuestion('Orders', { statistic: 'Sum', minSamples: 3 }))).toMatchObject({ value: 9 })
	expect(await ask(metricQuestion('Orders', { minSamples: 4 }))).toEqual({
		kind: 'noData',
		reason: 'the window has 3 of 4 samples',
	})
	expect(await ask(metricQuestion('Orders', { dimensions: { Version: 'Bv2' } }))).toMatchObject({ kind: 'noData' })
})

test('a window that came late has its age; an old one, and one under way, are no data', async () => {
	await put('Late', [7], 2.5 * windowMs)
	expect(await ask(metricQuestion('Late'))).toEqual({ kind: 'value', value: 7, ageMs: 2 * windowMs })
	await put('Old', [7], 10 * windowMs)
	await put('Young', [7], -windowMs / 2)
	for (const name of ['Old', 'Young', 'Never'])
		expect(await ask(metricQuestion(name))).toEqual({
			kind: 'noData',
			reason: `CloudWatch has no value of ${name} in the newest windows`,
		})
})

test('another region is another place', async () => {
	await put('Local', [1])
	expect(await ask(metricQuestion('Local', { region: 'eu-west-1' }))).toMatchObject({ value: 1 })
	expect(await ask(metricQuestion('Local', { region: 'us-east-1' }))).toMatchObject({ kind: 'noData' })
})

async function setAlarm(name: string, state: StateValue): Promise<void> {
	const rule = { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, Threshold: 1 } as const
	const metric = { Namespace: 'Shop', MetricName: 'Orders', Period: 60, Statistic: 'Sum' } as const
	await aws.send(new PutMetricAlarmCommand({ AlarmName: name, ...rule, ...metric }))
	await aws.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: state, StateReason: 'a test' }))
}

const alarms = ['checkout-5xx', 'Bv2 latency']
const alarmQuestion = (names: readonly string[] = alarms): Question => ({
	source: { kind: 'cloudWatchAlarm', names, region: null },
	windowMs,
})

describeMeasurementSource('CloudWatch alarms', {
	open: async () => ({
		source,
		question: alarmQuestion(),
		give: async (figure) => {
			for (const [index, name] of alarms.entries()) await setAlarm(name, index < figure ? 'ALARM' : 'OK')
		},
		troubles: {
			notANumber: async () => {
				for (const name of alarms) await setAlarm(name, 'OK')
				await setAlarm(alarms[1] ?? '', 'INSUFFICIENT_DATA')
			},
			hanging: async () => moto.pause(),
		},
		dispose: async () => moto.resume(),
	}),
	figures: [0, 1, 2],
	troubles: ['notANumber', 'hanging'],
})

test('an alarm that is not there is no data, unless another one is on', async () => {
	await setAlarm('quiet', 'OK')
	const names = ['quiet', 'nobody', 'quiet']
	expect(await ask(alarmQuestion(names))).toEqual({ kind: 'noData', reason: 'CloudWatch has no alarm nobody' })
	await setAlarm('quiet', 'ALARM')
	expect(await ask(alarmQuestion(names))).toEqual({ kind: 'value', value: 1, ageMs: 0 })
})

test('who does not answer, or may not be asked, is told by name, without what was signed', async () => {
	await moto.stop()
	for (const question of [alarmQuestion(), metricQuestion('Orders')]) {
		const measurement = await ask(question)
		expect(measurement).toEqual({ kind: 'noData', reason: 'CloudWatch does not answer (ECONNREFUSED)' })
	}
	const { AWS_REGION } = process.env
	delete process.env.AWS_REGION
	const lost = createAwsCloudWatch()
	expect(
		await lost.askAlarms(
			{ kind: 'cloudWatchAlarm', names: ['a'], region: null },
			{ signal: AbortSignal.timeout(9_000) },
		),
	).toEqual({ kind: 'noData', reason: 'CloudWatch does not answer (no region: set AWS_REGION)' })
	process.env.AWS_REGION = AWS_REGION
})
