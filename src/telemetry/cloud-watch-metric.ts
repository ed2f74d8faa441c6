import { type CloudWatchClient, GetMetricDataCommand, type MetricDataResult } from '@aws-sdk/client-cloudwatch'
import { limits } from '#base/limits.ts'
import type { Measurement } from '#guard/look.ts'
import type { CloudWatchMetric } from './cloud-watch.ts'
import { noData } from './measurement.ts'

type Options = { readonly windowMs: number; readonly nowMs: number; readonly signal: AbortSignal }

/** Periods that are looked at: the one under way is not whole, and the one before may come late. */
const periodsLooked = 3

/** The statistic over the newest whole period. Rejects when CloudWatch does not answer. */
export async function askMetric(
	client: CloudWatchClient,
	metric: CloudWatchMetric,
	{ windowMs, nowMs, signal }: Options,
): Promise<Measurement> {
	const statistics = [metric.statistic, ...(metric.minSamples > 1 ? ['SampleCount'] : [])]
	const command = new GetMetricDataCommand({
		StartTime: new Date(nowMs - periodsLooked * windowMs - limits.cloudWatchDelayMs),
		EndTime: new Date(nowMs),
		ScanBy: 'TimestampDescending',
		MetricDataQueries: statistics.map((stat, index) => ({
			Id: `s${index}`,
			MetricStat: {
				Metric: {
					Namespace: metric.namespace,
					MetricName: metric.metricName,
					Dimensions: Object.entries(metric.dimensions).map(([name, value]) => ({ Name: name, Value: value })),
				},
				Period: windowMs / 1000,
				Stat: stat,
			},
		})),
	})
	const { MetricDataResults = [] } = await client.send(command, { abortSignal: signal })
	const [figures, samples] = ['s0', 's1'].map((id) => MetricDataResults.find((result) => result.Id === id))
	const newest = newestWhole(figures, { windowMs, nowMs })
	if (newest === null) return noData(`CloudWatch has no value of ${metric.metricName} in the newest windows`)
	const { value, endMs } = newest
	if (!Number.isFinite(value)) return noData(`the value is ${value}`)
	if (metric.minSamples > 1) {
		const count = newestWhole(samples, { windowMs, nowMs: endMs })?.value ?? 0
		if (count < metric.minSamples) return noData(`the window has ${count} of ${metric.minSamples} samples`)
	}
	return { kind: 'value', value, ageMs: nowMs - endMs }
}

/** CloudWatch names a period by its start. */
function newestWhole(
	result: MetricDataResult | undefined,
	{ windowMs, nowMs }: { windowMs: number; nowMs: number },
): { readonly value: number; readonly endMs: number } | null {
	if (result?.StatusCode !== 'Complete') return null
	const { Timestamps = [], Values = [] } = result
	const whole = Timestamps.map((time, index) => ({
		value: Values[index] ?? Number.NaN,
		endMs: time.getTime() + windowMs,
	}))
		.filter(({ endMs }) => endMs <= nowMs)
		.sort((left, right) => right.endMs - left.endMs)
	return whole[0] ?? null
}
