import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#base/system-clock.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import type { LoadCommand } from './load-messages.ts'
import { startLoadClient } from './load-process.ts'
import { cpuSeconds, residentMb, startServer } from './server-process.ts'

export type Reconnect = {
	/** Until all count as current again. */
	readonly tookMs: number
	readonly cpuMs: number
	readonly delayP99Ms: number
	/** What all proxies together were sent. */
	readonly sentBytes: number
	readonly rssBeforeMb: number
	readonly rssAfterMb: number
}

const deadlineMs = 120_000
/** What was needed for a while is given back. */
const restMs = 3_000

/** All proxies lose their connections and come again at once, holding everything. */
export async function measureReconnect(
	served: string,
	services: number,
	fleet: Omit<Extract<LoadCommand, { kind: 'open' }>, 'kind' | 'port' | 'reported'>,
): Promise<Reconnect> {
	using directory = makeTempDirectory('bench-reconnect')
	const credentials = join(directory.path, 'credentials.json')
	if (fleet.credentials !== null) writeFileSync(credentials, JSON.stringify(fleet.credentials))
	const secured = fleet.credentials === null ? [] : ['http2', credentials]
	await using server = await startServer(process.execPath, [served, String(services), ...secured])
	await using load = startLoadClient()
	await load.open({ port: server.port, reported: null, ...fleet })
	await sleep(restMs)
	const rssBeforeMb = residentMb(server.pid)
	const cpuBefore = cpuSeconds(server.pid)
	await server.ask('watch', ['current'])
	const startedMs = performance.now()
	load.reconnect()
	const look = async () => (await server.ask('standing', ['current'])).current
	// At first they are still those that are about to go.
	await until({ clock: systemClock, deadlineMs, what: 'the proxies are gone' }, async () =>
		(await look()) < fleet.count ? true : null,
	)
	await until({ clock: systemClock, deadlineMs, what: 'all proxies are current again' }, async () =>
		(await look()) === fleet.count ? true : null,
	)
	const tookMs = performance.now() - startedMs
	const { delayP99Ms } = await server.ask('standing', ['delayP99Ms'])
	const sentBytes = await load.received()
	const cpuMs = (cpuSeconds(server.pid) - cpuBefore) * 1000
	await sleep(restMs)
	return { tookMs, cpuMs, delayP99Ms, sentBytes, rssBeforeMb, rssAfterMb: residentMb(server.pid) }
}
