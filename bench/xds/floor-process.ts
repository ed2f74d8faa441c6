import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { clustersOf } from '../telemetry/played-flush.ts'
import { changing } from './fleet-mesh.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const deadlineMs = 30_000

/** The bare transport, to which the proxies push what they count, as to the daemon: it is read, and dropped. */
export async function startFloorWithCounters(floor: string, dump: string): Promise<ServerProcess> {
	const server = await startServer(process.execPath, [floor, dump])
	return {
		...server,
		asksFor: {
			reported: clustersOf('bench', changing, 8080),
			async heard({ messages }) {
				await until({ clock: systemClock, deadlineMs, what: 'what all report is taken in' }, async () => {
					const { reports } = await server.ask('taken', ['reports'])
					return reports === messages ? true : null
				})
			},
		},
	}
}
