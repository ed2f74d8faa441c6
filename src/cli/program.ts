import { Command, CommanderError } from 'commander'
import { addAccept } from './accept.ts'
import { addAdopt } from './adopt.ts'
import { addBootstrap } from './bootstrap.ts'
import { addCerts } from './certs.ts'
import { addDemo } from './demo.ts'
import { type Exit, exitCodes, renderExitCodes } from './exit-codes.ts'
import { addExplain } from './explain.ts'
import { addFreeze, addUnfreeze } from './freeze.ts'
import { addHealthcheck } from './healthcheck.ts'
import { addPlan } from './plan.ts'
import { addProxies } from './proxies.ts'
import { addRollback } from './rollback.ts'
import { addRollout } from './rollout.ts'
import { addRun } from './run.ts'
import { addSchema } from './schema.ts'
import { addStatus } from './status.ts'
import type { Terminal } from './terminal.ts'
import { addToken } from './token.ts'
import { addValidate } from './validate.ts'
import type { VerbContext } from './verb.ts'

export type ProgramOptions = {
	readonly terminal: Terminal
	readonly environment: Readonly<Record<string, string | undefined>>
	readonly version: string
}

/** The order in which `--help` lists the verbs. */
const verbs = [
	addValidate,
	addPlan,
	addExplain,
	addBootstrap,
	addCerts,
	addToken,
	addSchema,
	addRun,
	addStatus,
	addRollout,
	addRollback,
	addFreeze,
	addUnfreeze,
	addAccept,
	addAdopt,
	addProxies,
	addHealthcheck,
	addDemo,
]

/** Runs one command line, without the program's name; answers with the exit code. */
export async function runProgram(parameters: readonly string[], options: ProgramOptions): Promise<number> {
	let exit: Exit = 'ok'
	const context: VerbContext = { ...options, end: (how) => (exit = how) }
	const program = createProgram(context)
	try {
		await program.parseAsync([...parameters], { from: 'user' })
	} catch (error) {
		// Commander has said what is wrong; asking for help or the version is no mistake.
		if (!(error instanceof CommanderError)) throw error
		exit = error.exitCode === 0 ? 'ok' : 'usage'
	}
	return exitCodes[exit].code
}

function createProgram(context: VerbContext): Command {
	const program = new Command('sluice')
		.description('Traffic control for Envoy fleets: a Git commit becomes a guarded rollout, served over xDS.')
		.version(context.version)
		.showHelpAfterError('(sluice --help says more)')
		.configureOutput({
			writeOut: (text) => context.terminal.out(text.trimEnd()),
			writeErr: (text) => context.terminal.talk(text.trimEnd()),
		})
		.exitOverride()
		.addHelpText('after', () => `\n${examples}\n\nExit codes:\n${renderExitCodes()}`)
	for (const add of verbs) add(program, context)
	for (const command of program.commands) inherit(command, program)
	return program
}

/** Verbs that were made by `command()` have it already; those below them too. */
function inherit(command: Command, parent: Command): void {
	command.copyInheritedSettings(parent)
	for (const child of command.commands) inherit(child, command)
}

const examples = `Examples:
  sluice validate mesh-config                       is this mesh right?
  sluice plan mesh-config --base origin/main        what would this change do?
  sluice explain GET http://serviceb.apps.local/ --node mesh/apps/virtualNode/serviceA
  sluice run --repo https://git.example/mesh.git    follow a branch, serve Envoys
  sluice run --folder mesh-config                   follow a folder
  sluice bootstrap --node mesh/apps/virtualNode/serviceA > envoy.yaml
  sluice status --watch                             what is going on?
  sluice rollout abort serviceB/serviceB#3 --reason "INC-311"`
