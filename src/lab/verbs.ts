import { runAppProcess } from './app-process.ts'
import { runLoadProcess } from './load-process.ts'

/**
 * The hidden verbs with which this program starts parts of the lab in processes of their own (`child.ts`): one word and
 * its options as JSON. Null when the arguments are none of them. Resolves when the parent has hung up.
 */
export function runLabVerb(parameters: readonly string[]): Promise<void> | null {
	const [verb, options = ''] = parameters
	switch (verb) {
		case 'lab-app':
			return runAppProcess(JSON.parse(options))
		case 'lab-load':
			return runLoadProcess(JSON.parse(options))
		default:
			return null
	}
}
