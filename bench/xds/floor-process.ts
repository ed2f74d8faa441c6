import { reported, untilTakenIn } from './reported.ts'
import { type ServerProcess, startServer } from './server-process.ts'

/** The bare transport, to which the proxies push what they count, as to the daemon: it is read, and dropped. */
export async function startFloorWithCounters(floor: string, dump: string): Promise<ServerProcess> {
	const server = await startServer(process.execPath, [floor, dump])
	return {
		...server,
		asksFor: {
			reported,
			heard: ({ messages }) => untilTakenIn(async () => (await server.ask('taken', ['reports'])).reports === messages),
		},
	}
}
