import { unreachable } from '#base/assert.ts'
import type { AskHttp } from './ask-http.ts'
import type { CloudWatch } from './cloud-watch.ts'
import { askHttpJson } from './http-json.ts'
import type { MeasurementSource } from './measurement.ts'
import { askPrometheus } from './prometheus.ts'

export type MeasurementOptions = {
	readonly ask: AskHttp
	readonly cloudWatch: CloudWatch
	readonly wallMs: () => number
}

/** Asks whom a question is for. */
export function createMeasurementSource({ ask, cloudWatch, wallMs }: MeasurementOptions): MeasurementSource {
	return {
		ask({ source, windowMs }, signal) {
			switch (source.kind) {
				case 'prometheus':
					return askPrometheus(source, { ask, windowMs, signal })
				case 'http':
					return askHttpJson(source, { ask, wallMs, windowMs, signal })
				case 'cloudWatchMetric':
					return cloudWatch.askMetric(source, { nowMs: wallMs(), windowMs, signal })
				case 'cloudWatchAlarm':
					return cloudWatch.askAlarms(source, { signal })
				default:
					return unreachable(source)
			}
		},
	}
}
