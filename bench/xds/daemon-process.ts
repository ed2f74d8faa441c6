import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { changingFile, changingRoute, fleetMesh } from './fleet-mesh.ts'
import { type ServerProcess, startLines } from './server-process.ts'

/** `sluice run` over a folder with the mesh, as people start it. A change is another text of the route's file. */
export async function startDaemonProcess(services: number): Promise<ServerProcess> {
	await using opened = new AsyncDisposableStack()
	const directory = opened.use(makeTempDirectory('bench-xds'))
	const folder = join(directory.path, 'mesh')
	mkdirSync(folder)
	for (const [name, text] of Object.entries(fleetMesh(services))) writeFileSync(join(folder, name), text)
	const [port = 0, api = 0] = await freePorts('127.0.0.1', 2)
	const daemon = opened.use(
		startLines(
			process.execPath,
			[
				join(import.meta.dirname, '../../src/main.ts'),
				'run',
				...['--folder', folder, '--state', join(directory.path, 'state')],
				...['--xds', `127.0.0.1:${port}`, '--http', `127.0.0.1:${api}`, '--log-format', 'json'],
			],
			'stderr',
		),
	)
	const isApplied = (line: unknown) => ((line as { event?: unknown }).event === 'mesh.applied' ? true : null)
	await daemon.hear(isApplied, 'the mesh is applied')
	const kept = opened.move()
	let round = 0
	return {
		pid: daemon.pid,
		port,
		async change() {
			round += 1
			const written = join(directory.path, changingFile)
			writeFileSync(written, changingRoute(services, round))
			const startedMs = performance.timeOrigin + performance.now()
			renameSync(written, join(folder, changingFile))
			return startedMs
		},
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	}
}
