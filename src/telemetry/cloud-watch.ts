import type { Measurement } from '#guard/look.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'

// What is needed of CloudWatch, as a port: AWS's client is one.

export type CloudWatchMetric = Extract<ThresholdSource, { kind: 'cloudWatchMetric' }>
export type CloudWatchAlarm = Extract<ThresholdSource, { kind: 'cloudWatchAlarm' }>

/** Neither rejects. */
export type CloudWatch = {
	/** A statistic over the newest whole window. */
	askMetric(
		metric: CloudWatchMetric,
		options: { readonly windowMs: number; readonly nowMs: number; readonly signal: AbortSignal },
	): Promise<Measurement>
	/** How many of the alarms are on. */
	askAlarms(alarm: CloudWatchAlarm, options: { readonly signal: AbortSignal }): Promise<Measurement>
}
