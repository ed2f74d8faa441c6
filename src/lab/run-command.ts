import { execFile } from 'node:child_process'
import { limits } from '#base/limits.ts'

export type CommandOutcome =
	| { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
	/** The file does not exist, may not be executed, or is not a program; `reason` is the system's code. */
	| { readonly kind: 'notStarted'; readonly reason: string }
	/** Killed: by its deadline, or from outside. */
	| { readonly kind: 'killed'; readonly stderr: string }

export type CommandOptions = {
	readonly environment?: Readonly<NodeJS.ProcessEnv>
	readonly folder?: string
	readonly deadlineMs?: number
}

/** Runs a program to its end, without a shell. Every way it can end is a value: the promise never rejects. */
export function runCommand(
	file: string,
	parameters: readonly string[],
	options: CommandOptions = {},
): Promise<CommandOutcome> {
	return new Promise((resolve) => {
		execFile(
			file,
			parameters,
			{
				cwd: options.folder,
				env: options.environment ?? process.env,
				timeout: options.deadlineMs ?? limits.labCommandMs,
				killSignal: 'SIGKILL',
				maxBuffer: 16 * 1024 * 1024,
			},
			(error, stdout, stderr) => {
				if (error === null) resolve({ kind: 'exited', code: 0, stdout, stderr })
				else if (typeof error.code === 'number') resolve({ kind: 'exited', code: error.code, stdout, stderr })
				else if (error.killed || error.signal) resolve({ kind: 'killed', stderr })
				else resolve({ kind: 'notStarted', reason: error.code ?? error.message })
			},
		)
	})
}

/** The last line that says something: what most programs end their complaint with. */
export function lastLine(text: string): string {
	return text.trimEnd().split('\n').at(-1)?.trim() ?? ''
}
