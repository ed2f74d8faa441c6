import { entryUrl } from '#base/program.ts'
import type { Measurement } from '#guard/look.ts'
import type { CloudWatch } from './cloud-watch.ts'
import { noData } from './measurement.ts'

/** AWS's client, from a bundle of its own that is read with the first question: most policies never ask one. */
export function createLazyCloudWatch(): CloudWatch {
	let loaded: Promise<CloudWatch> | null = null

	async function ask(question: (cloudWatch: CloudWatch) => Promise<Measurement>): Promise<Measurement> {
		loaded ??= load()
		try {
			return await question(await loaded)
		} catch {
			loaded = null
			return noData('the AWS client cannot be loaded')
		}
	}

	return {
		askMetric: (metric, options) => ask((cloudWatch) => cloudWatch.askMetric(metric, options)),
		askAlarms: (alarm, options) => ask((cloudWatch) => cloudWatch.askAlarms(alarm, options)),
	}
}

async function load(): Promise<CloudWatch> {
	const { createAwsCloudWatch }: typeof import('./aws-cloud-watch.ts') = await import(entryUrl('aws-cloud-watch').href)
	return createAwsCloudWatch()
}
