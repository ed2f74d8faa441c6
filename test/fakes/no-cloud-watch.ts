import type { CloudWatch } from '#telemetry/cloud-watch.ts'
import { noData } from '#telemetry/measurement.ts'

/** Nobody has an AWS account. */
export const noCloudWatch: CloudWatch = {
	askMetric: async () => noData('there is no CloudWatch'),
	askAlarms: async () => noData('there is no CloudWatch'),
}
