import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { changingFile, changingRoute, fleetMesh } from './fleet-mesh.ts'
import { type LineProcess, type ServerProcess, startLines } from './server-process.ts'

/** `sluice run` over a folder with the mesh, as people start it. A change is another text of the route's file. */
export async function startDaemonProcess(services: number): Promise<ServerProcess> {
	await using opened = new AsyncDisposableStack()
	const directory = opened.use(makeTempDirectory('bench-xds'))
	const folder = join(directory.path, 'mesh')
	mkdirSync(folder)
	for (const [name, text] of Object.entries(fleetMesh(services))) writeFileSync(join(folder, name), text)
	const daemon = opened.use(await runDaemon({ folder, state: join(directory.path, 'state') }))
	await daemon.hearOf('mesh.applied')
	const kept = opened.move()
	let round = 0
	return {
		pid: daemon.pid,
		port: daemon.port,
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

/** `sluice run`, as people start it. */
export type RunningDaemon = AsyncDisposable & {
	readonly pid: number
	/** Of xDS. */
	readonly port: number
	/** It has logged this event. */
	hearOf(event: string): Promise<void>
	/** In good order. */
	stop(): Promise<void>
}

export async function runDaemon({
	folder,
	state,
}: Readonly<Record<'folder' | 'state', string>>): Promise<RunningDaemon> {
	const [port = 0, api = 0] = await freePorts('127.0.0.1', 2)
	const daemon: LineProcess = startLines(
		process.execPath,
		[
			join(import.meta.dirname, '../../src/main.ts'),
			'run',
			...['--folder', folder, '--state', state],
			...['--xds', `127.0.0.1:${port}`, '--http', `127.0.0.1:${api}`, '--log-format', 'json'],
		],
		'stderr',
	)
	return {
		pid: daemon.pid,
		port,
		async hearOf(event) {
			await daemon.hear((line) => ((line as { event?: unknown }).event === event ? true : null), `${event} in the log`)
		},
		async stop() {
			process.kill(daemon.pid, 'SIGTERM')
			await daemon.ended
		},
		[Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
	}
}
