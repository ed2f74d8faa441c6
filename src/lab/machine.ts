import { homedir } from 'node:os'
import { join } from 'node:path'

/** What the search for parts looks at; a parameter, so that tests can describe another machine. */
export type Machine = {
	readonly platform: NodeJS.Platform
	readonly architecture: NodeJS.Architecture
	readonly environment: Readonly<NodeJS.ProcessEnv>
}

export function thisMachine(): Machine {
	return { platform: process.platform, architecture: process.arch, environment: process.env }
}

/** Where fetched parts are kept: outside the tree, so that a fresh clone finds them again. */
export function partsFolder(environment: Readonly<NodeJS.ProcessEnv>): string {
	if (environment.SLUICE_CACHE) return environment.SLUICE_CACHE
	const userCache = environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache')
	return join(userCache, 'sluice', 'parts')
}
