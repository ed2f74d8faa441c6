// The whole daemon over a folder, in a process of its own, asked by its face and not over HTTP.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { assert } from '#base/assert.ts'
import { silentLog } from '#base/log.ts'
import { succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { startDaemon } from '#controller/daemon.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { obeyLines } from '../xds/obey-lines.ts'
import { canaryCluster, meshFiles, shift, stableCluster } from './fleet.ts'

const directory = makeTempDirectory('bench-telemetry')
process.on('exit', () => directory.remove())
const folder = join(directory.path, 'mesh')
mkdirSync(folder)
for (const [name, text] of Object.entries(meshFiles())) writeFileSync(join(folder, name), text)
const started = await startDaemon(
	{
		source: { kind: 'folder', folder },
		stateDirectory: join(directory.path, 'state'),
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
assert(started.ok, 'the daemon starts on a folder of its own')
const daemon = started.value
const delays = monitorEventLoopDelay({ resolution: 5 })
delays.enable()
obeyLines(Number(daemon.addresses.xds.split(':')[1]), {
	shift() {
		const written = join(directory.path, shift.file)
		writeFileSync(written, shift.text)
		renameSync(written, join(folder, shift.file))
		return {}
	},
	watch() {
		delays.reset()
		return {}
	},
	delay: () => ({ delayP99Ms: delays.percentile(99) / 1e6 }),
	standing() {
		const { groups, rollouts, accepted } = daemon.status()
		const { clusters } = daemon.traffic()
		return {
			applied: accepted === null ? 0 : 1,
			current: groups.reduce(
				(sum, { types }) => sum + Math.min(...Object.values(types).map((type) => type.current)),
				0,
			),
			silent: groups.reduce((sum, { silent }) => sum + silent.length, 0),
			step: rollouts[0]?.step ?? 0,
			stable: clusters[stableCluster]?.completed ?? 0,
			canary: clusters[canaryCluster]?.completed ?? 0,
		}
	},
})
