import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch'
import type { Measurement } from '#guard/look.ts'
import type { CloudWatchAlarm } from './cloud-watch.ts'
import { noData } from './measurement.ts'

/** How many of the alarms are in the state ALARM. One that is missing or knows too little makes it no data. */
export async function askAlarms(
	client: CloudWatchClient,
	{ names }: CloudWatchAlarm,
	{ signal }: { readonly signal: AbortSignal },
): Promise<Measurement> {
	const alarmNames = [...new Set(names)]
	const command = new DescribeAlarmsCommand({ AlarmNames: alarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] })
	const { MetricAlarms = [], CompositeAlarms = [] } = await client.send(command, { abortSignal: signal })
	const states = new Map([...MetricAlarms, ...CompositeAlarms].map((alarm) => [alarm.AlarmName, alarm.StateValue]))
	const on = alarmNames.filter((name) => states.get(name) === 'ALARM')
	// What is on is on, whatever else is not known.
	if (on.length > 0) return { kind: 'value', value: on.length, ageMs: 0 }
	const missing = alarmNames.find((name) => !states.has(name))
	if (missing !== undefined) return noData(`CloudWatch has no alarm ${missing}`)
	const unsure = alarmNames.find((name) => states.get(name) !== 'OK')
	if (unsure !== undefined) return noData(`the alarm ${unsure} is in the state ${states.get(unsure)}`)
	return { kind: 'value', value: 0, ageMs: 0 }
}
