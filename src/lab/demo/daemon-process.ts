import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from '#base/limits.ts'
import { entryUrl } from '#base/program.ts'
import { systemClock } from '#base/system-clock.ts'
import { atExit } from '../at-exit.ts'
import { LabError } from '../lab-error.ts'
import { lastLine, runCommand } from '../run-command.ts'
import { until } from '../until.ts'
import { formatHostPort, type HostPort } from './addresses.ts'

/** Sluice's own command, in a process of its own. It ends with this one. */
export type DaemonProcess = AsyncDisposable & {
	readonly pid: number
	readonly logFile: string
	/** Null while it runs; then how it ended, with its last words. */
	ending(): string | null
	stop(): Promise<void>
}

export type DaemonProcessOptions = {
	readonly repository: string
	/** An empty folder: state and log go there, and nothing of the user's settings is found in it. */
	readonly folder: string
	readonly xds: HostPort
	readonly http: HostPort
}

const lastWordsCharacters = 300

/** `sluice run`; resolves when it is ready to serve. */
export async function startDaemonProcess(options: DaemonProcessOptions): Promise<DaemonProcess> {
	const { folder, http } = options
	const logFile = join(folder, 'daemon.log')
	const log = openSync(logFile, 'a')
	const child = spawn(process.execPath, runParameters(options), {
		cwd: folder,
		env: ownEnvironment(),
		stdio: ['ignore', log, log],
	})
	closeSync(log)
	const release = atExit(() => child.kill('SIGKILL'))
	let ending: string | null = null
	const exited = once(child, 'exit').then(async ([code, signal]) => {
		release()
		ending = `the daemon ended with ${signal ?? `code ${code}`}: ${lastLine(await readFile(logFile, 'utf8')).slice(0, lastWordsCharacters)}`
	})

	async function stop(): Promise<void> {
		child.kill('SIGTERM')
		const timer = systemClock.setTimer(limits.stopMs, () => child.kill('SIGKILL'))
		await exited
		timer.cancel()
	}

	try {
		await until({ clock: systemClock, deadlineMs: limits.childStartMs, what: 'the daemon becomes ready' }, async () => {
			if (ending !== null) throw new LabError('exited', ending)
			return (await isReady(http)) ? true : null
		})
	} catch (error) {
		await stop()
		throw error
	}
	return { pid: child.pid ?? 0, logFile, ending: () => ending, stop, [Symbol.asyncDispose]: stop }
}

function runParameters({ repository, folder, xds, http }: DaemonProcessOptions): string[] {
	const addresses = ['--xds', formatHostPort(xds), '--http', formatHostPort(http)]
	return [commandFile(), 'run', '--repo', repository, '--state', join(folder, 'state'), ...addresses, '--poll', '1s']
}

async function isReady(http: HostPort): Promise<boolean> {
	try {
		const response = await fetch(`http://${formatHostPort(http)}/readyz`, {
			signal: AbortSignal.timeout(limits.cliCallMs),
		})
		await response.text()
		return response.ok
	} catch (error) {
		// Not listening yet.
		if (error instanceof TypeError) return false
		throw error
	}
}

/** What `sluice VERB …` prints. Rejects with its complaint. */
export async function runSluice(folder: string, parameters: readonly string[]): Promise<string> {
	const outcome = await runCommand(process.execPath, [commandFile(), ...parameters], {
		folder,
		environment: ownEnvironment(),
	})
	if (outcome.kind === 'exited' && outcome.code === 0) return outcome.stdout
	const reason = outcome.kind === 'notStarted' ? outcome.reason : lastLine(outcome.stderr)
	throw new LabError('refused', `sluice ${parameters[0]}: ${reason}`)
}

/** The command as this process runs it: from the sources, or from the bundle. */
export function commandFile(): string {
	return fileURLToPath(entryUrl('main'))
}

/** None of this user's settings of Sluice: the demo is the same on every machine. */
function ownEnvironment(): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')))
}
