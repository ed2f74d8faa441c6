// The `sluice` command: parses the arguments and hands over to the verb.
import { runProgram } from '#cli/program.ts'
import { createTerminal } from '#cli/terminal.ts'
import { runLabVerb } from '#lab/verbs.ts'
import packageJson from '../package.json' with { type: 'json' }

// Whoever reads our output may stop before its end (`sluice status | head -1`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code === 'EPIPE') process.exit(0)
	throw error
})

const parameters = process.argv.slice(2)
const labVerb = runLabVerb(parameters)
if (labVerb === null) {
	const terminal = createTerminal(process.env)
	process.exitCode = await runProgram(parameters, { terminal, environment: process.env, version: packageJson.version })
	// A daemon that was told to stop may still have sockets that nobody closes.
	if (parameters[0] === 'run') process.exit()
} else await labVerb
