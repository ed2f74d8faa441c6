import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bins = join(root, 'node_modules/.bin')

/**
 * Runs one of the project's tools to its end in the project's folder, under the project's Node, with `environment`
 * added to this process's own. Returns its exit code; 1 when a signal ended it.
 */
export function runTool(tool: string, parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): number {
	const path = `${bins}${delimiter}${process.env.PATH ?? ''}`
	const env = { ...process.env, ...environment, PATH: path }
	const { status, error } = spawnSync(join(bins, tool), parameters, { cwd: root, env, stdio: 'inherit' })
	if (error !== undefined) throw error
	return status ?? 1
}
