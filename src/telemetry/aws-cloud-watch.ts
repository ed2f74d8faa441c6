import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import type { Measurement } from '#guard/look.ts'
import type { CloudWatch } from './cloud-watch.ts'
import { askAlarms } from './cloud-watch-alarm.ts'
import { askMetric } from './cloud-watch-metric.ts'
import { noData } from './measurement.ts'

// CloudWatch by AWS's own client, in a bundle of its own. Region, credentials and another endpoint come by the client's
// usual chain (variables, profile, task or instance role).

export function createAwsCloudWatch(): CloudWatch {
	const clients = new Map<string | null, CloudWatchClient>()

	/** One for each region that is asked for. */
	function clientFor(region: string | null): CloudWatchClient {
		const known = clients.get(region)
		const client = known ?? new CloudWatchClient({ maxAttempts: 1, ...(region === null ? {} : { region }) })
		clients.set(region, client)
		return client
	}

	return {
		askMetric: (metric, options) => told(() => askMetric(clientFor(metric.region), metric, options)),
		askAlarms: (alarm, options) => told(() => askAlarms(clientFor(alarm.region), alarm, options)),
	}
}

async function told(ask: () => Promise<Measurement>): Promise<Measurement> {
	try {
		return await ask()
	} catch (error) {
		return noData(`CloudWatch does not answer (${nameOf(error)})`)
	}
}

/** Names only: AWS's texts may quote what was signed, a session token among it. */
function nameOf(error: unknown): string {
	if (!(error instanceof Error)) return 'unknown failure'
	if (/^Region is missing/.test(error.message)) return 'no region: set AWS_REGION'
	return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
