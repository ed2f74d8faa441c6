import { silentLog } from '#base/log.ts'
import { succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { type Daemon, type DaemonSettings, startDaemon } from '#controller/daemon.ts'
import { LabError } from '#lab/lab-error.ts'

/** A daemon in this process, on a free port of loopback. It is asked here, and not over HTTP. */
export async function startOwnDaemon(settings: Pick<DaemonSettings, 'source' | 'stateDirectory'>): Promise<Daemon> {
	const started = await startDaemon(
		{
			...settings,
			certificates: null,
			scrape: null,
			metrics: { sources: '', credentials: null },
			hooks: { receivers: '', secrets: null },
			xds: { address: '127.0.0.1:0', identity: 'loopbackOnly' },
		},
		{
			log: silentLog,
			clock: systemClock,
			random: Math.random,
			openFace: async () => succeed({ address: 'none', async close() {} }),
		},
	)
	if (!started.ok) throw new LabError('refused', started.error.message)
	return started.value
}
