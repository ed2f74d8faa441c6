import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { type EnvoyAdmin, envoyAdmin } from './envoy-admin.ts'
import { type EnvoyExit, type EnvoyRun, startEnvoyRun } from './envoy-run.ts'
import { lastLine, runCommand } from './run-command.ts'
import { makeTempDirectory } from './temp.ts'
import { until } from './until.ts'

export type EnvoyProcessOptions = {
	/** Path of the binary, from `findEnvoy`. */
	readonly envoy: string
	/** A file as Envoy reads it (.yaml, .json), or the bootstrap as a value. */
	readonly bootstrap: { readonly file: string } | { readonly content: object }
	/** What messages call it. */
	readonly name: string
	/** Of its admin listener, on loopback; a free one by default. */
	readonly adminPort?: number
	readonly clock?: Clock
}

/**
 * One real Envoy on this machine, with one worker and an admin listener on a loopback port; it ends with this
 * process. `pid`, `admin`, `adminAddress` and `exited` are those of the current start.
 */
export type EnvoyProcess = AsyncDisposable & {
	readonly name: string
	readonly logFile: string
	readonly pid: number
	readonly admin: EnvoyAdmin
	readonly adminAddress: string
	readonly exited: Promise<EnvoyExit>
	/** 1 + the number of restarts. */
	readonly starts: number
	/** Resolves when /ready says LIVE; rejects at its deadline, or with the end of the log when Envoy exits. */
	ready(deadlineMs?: number): Promise<void>
	/** Freezes it (SIGSTOP) and lets it go on (SIGCONT). */
	pause(): void
	resume(): void
	/** Ends it the friendly way, by force if that takes too long. Does nothing when it has ended. */
	stop(): Promise<EnvoyExit>
	/** SIGKILL: as if it had crashed. */
	kill(): Promise<EnvoyExit>
	/** Stops it and starts it with the same bootstrap. */
	restart(): Promise<void>
}

/** Starts Envoy and resolves as soon as its admin listener is there, which is before it is ready. */
export async function startEnvoy(options: EnvoyProcessOptions): Promise<EnvoyProcess> {
	const { envoy, name, adminPort = 0, clock = systemClock } = options
	const directory = makeTempDirectory('envoy')
	const logFile = join(directory.path, 'envoy.log')
	const addressFile = join(directory.path, 'admin-address')
	const bootstrapFile = await placeBootstrap(options.bootstrap, directory.path)
	const start = () => startEnvoyRun({ envoy, name, adminPort, clock, bootstrapFile, addressFile, logFile })
	let starts = 1
	let run: EnvoyRun = await start()
	let admin = envoyAdmin(run.adminAddress)

	async function ready(deadlineMs: number = limits.envoyReadyMs): Promise<void> {
		await until({ clock, deadlineMs, what: `Envoy ${name} becomes ready` }, async () => {
			await run.assertRunning()
			return (await admin.state()) === 'LIVE' ? true : null
		})
	}

	function kill(): Promise<EnvoyExit> {
		run.signal('SIGKILL')
		return run.exited
	}

	async function restart(): Promise<void> {
		await run.stop()
		run = await start()
		admin = envoyAdmin(run.adminAddress)
		starts += 1
	}

	async function dispose(): Promise<void> {
		await run.stop()
		directory.remove()
	}

	return {
		name,
		logFile,
		get pid() {
			return run.pid
		},
		get admin() {
			return admin
		},
		get adminAddress() {
			return run.adminAddress
		},
		get exited() {
			return run.exited
		},
		get starts() {
			return starts
		},
		ready,
		pause: () => run.signal('SIGSTOP'),
		resume: () => run.signal('SIGCONT'),
		stop: () => run.stop(),
		kill,
		restart,
		[Symbol.asyncDispose]: dispose,
	}
}

/** What Envoy itself says of a bootstrap file: fine, or its complaint in one line. */
export async function validateBootstrap(envoy: string, file: string): Promise<Result<void, string>> {
	const outcome = await runCommand(envoy, ['--mode', 'validate', '--log-level', 'error', '-c', file])
	switch (outcome.kind) {
		case 'exited':
			return outcome.code === 0 ? succeed(undefined) : fail(lastLine(outcome.stderr) || lastLine(outcome.stdout))
		case 'killed':
			return fail('Envoy did not finish validating')
		case 'notStarted':
			return fail(`${envoy} cannot be started (${outcome.reason})`)
	}
}

async function placeBootstrap(bootstrap: EnvoyProcessOptions['bootstrap'], directory: string): Promise<string> {
	if ('file' in bootstrap) return bootstrap.file
	const file = join(directory, 'bootstrap.json')
	await writeFile(file, JSON.stringify(bootstrap.content, null, '\t'))
	return file
}
