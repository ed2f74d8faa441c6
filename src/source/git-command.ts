import { type SimpleGit, type SimpleGitOptions, simpleGit } from 'simple-git'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { createGitEnvironment, gitConfiguration } from './git-environment.ts'
import type { GitTarget } from './git-target.ts'
import { createRedactor } from './redact.ts'
import { toShownLine } from './shown-text.ts'

// Runs one git command, by simple-git: hardened, with a deadline and a bound on its output. simple-git can feed
// standard input, so `cat-file --batch` needs no child process of our own.

export type GitFailure =
	/** git ended with this exit code; null when a signal that is not ours ended it. Secrets are taken out of `text`. */
	| { readonly kind: 'exit'; readonly exitCode: number | null; readonly text: string }
	/** Stopped by us. `stuck`: it did not end even so, and may still run. */
	| { readonly kind: 'deadline' | 'tooLarge' | 'closed' | 'stuck'; readonly text: string }

export type GitCommand = {
	/** A command that reads the mirror: standard output as text. `args` begin with the subcommand. */
	run(args: readonly string[], deadlineMs: number): Promise<Result<string, GitFailure>>
	/**
	 * A command that talks to the remote, by helpers of git's that may outlive it and hold its output open. It is over
	 * when git is; its output must be such that a cut-off one shows.
	 */
	runRemote(args: readonly string[], deadlineMs: number): Promise<Result<string, GitFailure>>
	/** `git cat-file --batch` with `input` on standard input. */
	readObjects(input: string, deadlineMs: number): Promise<Result<Uint8Array, GitFailure>>
	/** Ends the command that runs, as `closed`. */
	close(): void
}

type Completion = NonNullable<SimpleGitOptions['completion']>

/** simple-git's own default would cut output off while this process is busy. */
const untilOutputEnds: Completion = { onClose: true, onExit: false }
const soonAfterExit: Completion = { onClose: true, onExit: limits.gitOutputEndMs }

type ExecuteOptions = { deadlineMs: number; input?: string; completion?: Completion }

/** What the wait for a git that does not end is given up with. */
const stuck = new Error('git does not end')

export function createGitCommand(options: {
	target: GitTarget
	mirrorDirectory: string
	clock: Clock
	ambient: Readonly<Record<string, string | undefined>>
}): GitCommand {
	const { target, mirrorDirectory, clock, ambient } = options
	const environment = createGitEnvironment(target, mirrorDirectory, ambient)
	const redact = createRedactor(target.secrets)
	const closing = new AbortController()

	async function execute<Output extends string | Buffer>(
		start: (git: SimpleGit) => PromiseLike<Output>,
		{ deadlineMs, input = '', completion = untilOutputEnds }: ExecuteOptions,
	): Promise<Result<Output, GitFailure>> {
		const stopping = new AbortController()
		let stopped: GitFailure | null = null
		let ended: { exitCode: number | null; stdErr: string } = { exitCode: null, stdErr: '' }
		let outputBytes = 0

		// simple-git asks a process to end (SIGINT) and no more: one that does not is left behind after a while.
		const dying = Promise.withResolvers<never>()
		const timers: Timer[] = []

		function stop(kind: 'deadline' | 'tooLarge' | 'closed', text: string): void {
			if (stopped !== null) return
			stopped = { kind, text }
			timers.push(clock.setTimer(limits.gitDieMs, () => dying.reject(stuck)))
			stopping.abort()
		}

		const stopForClose = () => stop('closed', 'the source was closed')
		closing.signal.addEventListener('abort', stopForClose)
		if (closing.signal.aborted) stopForClose()
		timers.push(clock.setTimer(deadlineMs, () => stop('deadline', `git took longer than ${deadlineMs / 1000} s`)))
		const git = simpleGit({
			baseDir: mirrorDirectory,
			config: [...gitConfiguration],
			abort: stopping.signal,
			trimmed: false,
			completion,
			allowEnvironment: Object.keys(environment),
			unsafe: {
				allowUnsafeHooksPath: true,
				allowUnsafeConfigPaths: true,
				allowUnsafeConfigEnvCount: true,
				allowUnsafeSshCommand: true,
				allowUnsafeAskPass: true,
				// `--template=`: none.
				allowUnsafeTemplateDir: true,
			},
			input: () => (input === '' ? undefined : input),
			errors(error, { exitCode, stdErr }) {
				ended = { exitCode, stdErr: Buffer.concat(stdErr).toString() }
				return error ?? (exitCode === 0 ? undefined : new Error(`git ended with ${exitCode}`))
			},
		})
			.env(environment)
			.outputHandler((_command, stdout) => {
				stdout.on('data', (chunk: Buffer) => {
					outputBytes += chunk.length
					if (outputBytes > limits.gitOutputBytes) stop('tooLarge', 'git says more than a revision may hold')
				})
			})

		try {
			return succeed(await Promise.race([start(git), dying.promise]))
		} catch (error) {
			if (error === stuck) return fail({ kind: 'stuck', text: 'git does not end when it is told to' })
			if (stopped !== null) return fail(stopped)
			const said = ended.stdErr === '' ? String(error instanceof Error ? error.message : error) : ended.stdErr
			return fail({ kind: 'exit', exitCode: ended.exitCode, text: toShownLine(redact(said)) })
		} finally {
			for (const timer of timers) timer.cancel()
			closing.signal.removeEventListener('abort', stopForClose)
		}
	}

	return {
		run: (args, deadlineMs) => execute((git) => git.raw([...args]), { deadlineMs }),
		runRemote: (args, deadlineMs) => execute((git) => git.raw([...args]), { deadlineMs, completion: soonAfterExit }),
		readObjects: (input, deadlineMs) => execute((git) => git.binaryCatFile(['--batch']), { deadlineMs, input }),
		close: () => closing.abort(),
	}
}
