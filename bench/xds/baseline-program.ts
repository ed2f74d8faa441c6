import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fail, type Result, succeed } from '#base/result.ts'
import { runCommand } from '#lab/run-command.ts'

/** Builds the baseline in Go. Fails with what is missing, in a line for people. */
export async function buildBaseline(): Promise<Result<string, string>> {
	const folder = join(import.meta.dirname, '../../.cache')
	mkdirSync(folder, { recursive: true })
	const program = join(folder, 'xds-baseline')
	const built = await runCommand('go', ['build', '-o', program, '.'], {
		folder: join(import.meta.dirname, 'baseline'),
		deadlineMs: 600_000,
	})
	if (built.kind === 'exited' && built.code === 0) return succeed(program)
	if (built.kind === 'notStarted') return fail('Go is not on this machine (https://go.dev/dl, 1.26 or newer)')
	return fail(`go build failed: ${built.kind === 'exited' ? built.stderr.trim() : 'it took too long'}`)
}
