import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { atExit } from './at-exit.ts'
import { LabError } from './lab-error.ts'
import { until } from './until.ts'

/** How it ended: because `stop` asked it to, or by itself (a crash, a kill). */
export type EnvoyExit = {
	readonly kind: 'asked' | 'unasked'
	readonly code: number | null
	readonly signal: NodeJS.Signals | null
}

/** One operating-system process of Envoy, from its start to its end. */
export type EnvoyRun = {
	readonly pid: number
	/** `127.0.0.1:43210` */
	readonly adminAddress: string
	readonly exited: Promise<EnvoyExit>
	/** Rejects with the end of the log when the process has ended. */
	assertRunning(): Promise<void>
	signal(signal: NodeJS.Signals): void
	/** SIGTERM, and SIGKILL when that has not ended it within `envoyStopMs`. Does nothing when it has ended. */
	stop(): Promise<EnvoyExit>
}

export type EnvoyRunOptions = {
	readonly envoy: string
	readonly name: string
	readonly adminPort: number
	readonly clock: Clock
	readonly bootstrapFile: string
	/** Written by Envoy: where its admin listener is. */
	readonly addressFile: string
	/** Appended to. */
	readonly logFile: string
}

/** Starts Envoy and resolves once its admin listener is there. It is killed when this process ends. */
export async function startEnvoyRun(options: EnvoyRunOptions): Promise<EnvoyRun> {
	const { name, clock, addressFile } = options
	await rm(addressFile, { force: true })
	const child = await spawnEnvoy(options)
	const release = atExit(() => child.kill('SIGKILL'))
	let ending: EnvoyExit['kind'] = 'unasked'
	const exited = once(child, 'exit').then(([code, signal]): EnvoyExit => {
		release()
		return { kind: ending, code, signal }
	})

	async function assertRunning(): Promise<void> {
		if (child.exitCode === null && child.signalCode === null) return
		const how = child.signalCode ?? `code ${child.exitCode}`
		throw new LabError('exited', `Envoy ${name} ended with ${how}:\n${await lastLines(options.logFile)}`)
	}

	async function stop(): Promise<EnvoyExit> {
		ending = 'asked'
		// A process that SIGSTOP froze does not see SIGTERM.
		child.kill('SIGCONT')
		child.kill('SIGTERM')
		const timer = clock.setTimer(limits.envoyStopMs, () => child.kill('SIGKILL'))
		const exit = await exited
		timer.cancel()
		return exit
	}

	try {
		const what = `Envoy ${name} opens its admin listener`
		const adminAddress = await until({ clock, deadlineMs: limits.envoyReadyMs, what }, async () => {
			await assertRunning()
			return readAddress(addressFile)
		})
		const signal = (name: NodeJS.Signals) => void child.kill(name)
		return { pid: child.pid ?? 0, adminAddress, exited, assertRunning, signal, stop }
	} catch (error) {
		child.kill('SIGKILL')
		throw error
	}
}

async function spawnEnvoy(options: EnvoyRunOptions): Promise<ChildProcess> {
	// Laid over the file: whatever admin port a bootstrap names, several Envoys share this machine.
	const admin = `admin: {address: {socket_address: {address: 127.0.0.1, port_value: ${options.adminPort}}}}`
	const files = ['-c', options.bootstrapFile, '--config-yaml', admin, '--admin-address-path', options.addressFile]
	const log = openSync(options.logFile, 'a')
	try {
		const child = spawn(
			options.envoy,
			[...files, '--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '100'],
			{
				stdio: ['ignore', log, log],
			},
		)
		await once(child, 'spawn')
		return child
	} finally {
		closeSync(log)
	}
}

/** Null until Envoy has written it. */
async function readAddress(file: string): Promise<string | null> {
	try {
		return (await readFile(file, 'utf8')).trim() || null
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
		throw error
	}
}

async function lastLines(logFile: string): Promise<string> {
	return (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-15).join('\n')
}
