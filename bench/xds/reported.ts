import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { clustersOf } from '../telemetry/played-flush.ts'
import { changing } from './fleet-mesh.ts'

/** What the proxies report of before each change, where a server asks for it. */
export const reported = clustersOf('bench', changing, 8080)

const deadlineMs = 30_000

export async function untilTakenIn(isTakenIn: () => Promise<boolean>): Promise<void> {
	await until({ clock: systemClock, deadlineMs, what: 'what all report is taken in' }, async () =>
		(await isTakenIn()) ? true : null,
	)
}
