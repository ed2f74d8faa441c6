import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '#controller/status.ts'
import type { Traffic } from '#controller/traffic-meter.ts'
import { LabError } from '#lab/lab-error.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { changingFile, changingRoute, fleetMesh, shiftedRoute } from './fleet-mesh.ts'
import { reported, untilTakenIn } from './reported.ts'
import { type LineProcess, type ServerProcess, startLines } from './server-process.ts'

/** `sluice run` over a folder. A change is another text of the route's file. */
export async function startCommitting(sluice: string, services: number): Promise<ServerProcess> {
	await using opened = new AsyncDisposableStack()
	const { daemon, write } = opened.use(await runOverFolder(sluice, services))
	const kept = opened.move()
	let round = 0
	return {
		pid: daemon.pid,
		port: daemon.port,
		async change() {
			round += 1
			return write(changingRoute(round))
		},
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	}
}

/** The same. A change is the next step of a rollout, asked for over the API; the first is the file that starts it. */
export async function startStepping(sluice: string, services: number): Promise<ServerProcess> {
	await using opened = new AsyncDisposableStack()
	const { daemon, write } = opened.use(await runOverFolder(sluice, services))
	const kept = opened.move()
	let rollout = ''
	return {
		pid: daemon.pid,
		port: daemon.port,
		asksFor: {
			reported,
			heard: ({ requests }) =>
				untilTakenIn(async () => {
					const { groups } = (await daemon.ask('GET', 'status')) as Status
					const { clusters } = (await daemon.ask('GET', 'traffic')) as Traffic
					// Told is what the last minute had: longer than all changes of a row take.
					const counted = clusters[reported.stable]?.completed ?? 0
					return counted === requests && groups.every(({ silent }) => silent.length === 0)
				}),
		},
		async change() {
			if (rollout === '') {
				const startedMs = write(shiftedRoute())
				await daemon.hearOf('rollout.advanced')
				const { rollouts } = (await daemon.ask('GET', 'rollouts')) as Pick<Status, 'rollouts'>
				rollout = rollouts[0]?.id ?? ''
				return startedMs
			}
			const startedMs = performance.timeOrigin + performance.now()
			await daemon.ask('POST', `rollouts/${encodeURIComponent(rollout)}/promote`)
			return startedMs
		},
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	}
}

/** `write`: another text of the file with the route that changes; returns the wall time in ms before. */
async function runOverFolder(sluice: string, services: number) {
	await using opened = new AsyncDisposableStack()
	const directory = opened.use(makeTempDirectory('bench-xds'))
	const folder = join(directory.path, 'mesh')
	mkdirSync(folder)
	for (const [name, text] of Object.entries(fleetMesh(services))) writeFileSync(join(folder, name), text)
	const daemon = opened.use(await runDaemon({ sluice, folder, state: join(directory.path, 'state') }))
	await daemon.hearOf('mesh.applied')
	const kept = opened.move()
	return {
		daemon,
		write(text: string) {
			const written = join(directory.path, changingFile)
			writeFileSync(written, text)
			const startedMs = performance.timeOrigin + performance.now()
			renameSync(written, join(folder, changingFile))
			return startedMs
		},
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	}
}

type DaemonPlaces = Readonly<Record<'sluice' | 'folder' | 'state', string>>

/** `sluice run`, as people start it. */
export type RunningDaemon = AsyncDisposable & {
	readonly pid: number
	/** Of xDS. */
	readonly port: number
	/** It has logged this event. */
	hearOf(event: string): Promise<void>
	/** What its API answers. */
	ask(method: 'GET' | 'POST', path: string): Promise<unknown>
	/** In good order. */
	stop(): Promise<void>
}

/** @param sluice the program */
export async function runDaemon({ sluice, folder, state }: DaemonPlaces): Promise<RunningDaemon> {
	const [port = 0, api = 0] = await freePorts('127.0.0.1', 2)
	const daemon: LineProcess = startLines(
		process.execPath,
		[
			sluice,
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
		async ask(method, path) {
			const asked = {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ actor: 'bench', reason: 'a step' }),
			}
			const url = `http://127.0.0.1:${api}/api/v1/${path}`
			const answer = await fetch(url, { method, ...(method === 'GET' ? {} : asked) })
			if (!answer.ok) throw new LabError('refused', `${method} ${path}: ${await answer.text()}`)
			return answer.json()
		},
		async stop() {
			process.kill(daemon.pid, 'SIGTERM')
			await daemon.ended
		},
		[Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
	}
}
