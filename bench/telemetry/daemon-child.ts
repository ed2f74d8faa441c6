// The whole daemon over a folder, in a process of its own, asked by its face and not over HTTP.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { makeTempDirectory } from '#lab/temp.ts'
import { startOwnDaemon } from '../own-daemon.ts'
import { obeyLines } from '../xds/obey-lines.ts'
import { clusters, meshFiles, shift } from './fleet.ts'

const directory = makeTempDirectory('bench-telemetry')
process.on('exit', () => directory.remove())
const folder = join(directory.path, 'mesh')
mkdirSync(folder)
for (const [name, text] of Object.entries(meshFiles())) writeFileSync(join(folder, name), text)
const daemon = await startOwnDaemon({
	source: { kind: 'folder', folder },
	stateDirectory: join(directory.path, 'state'),
})
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
		const counted = daemon.traffic().clusters
		return {
			applied: accepted === null ? 0 : 1,
			current: groups.reduce(
				(sum, { types }) => sum + Math.min(...Object.values(types).map((type) => type.current)),
				0,
			),
			silent: groups.reduce((sum, { silent }) => sum + silent.length, 0),
			step: rollouts[0]?.step ?? 0,
			stable: counted[clusters.stable]?.completed ?? 0,
			canary: counted[clusters.canary]?.completed ?? 0,
		}
	},
})
