import type { Command } from 'commander'
import { type CommandFlags, sayFailure, sendCommand, withDaemon } from './daemon-call.ts'
import { parseRouteName } from './parse-route-name.ts'
import { addCommandFlags } from './rollout.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type RollbackFlags = CommandFlags & { readonly mesh?: string }

export function addRollback(program: Command, context: VerbContext): void {
	const command = program
		.command('rollback')
		.helpGroup(verbGroups.daemon)
		.summary('back to the last good shares of a route, at once')
		.description(
			'Aborts the rollout of a route, or takes the last one back although it has succeeded. Works without Git and without the guard, and waits for no proxy. What Git asks for is in quarantine until its content changes or `rollout retry`.',
		)
		.argument('<router/route>', 'the route')
		.option('--mesh <name>', 'its mesh, where several have such a route')
	addCommandFlags(command).action((name: string, flags: RollbackFlags) => {
		const route = parseRouteName(name)
		if (!route.ok) return context.end(sayFailure({ exit: 'usage', message: route.error }, context))
		const body = { mesh: flags.mesh, ...route.value }
		return withDaemon(flags, context, (client) => sendCommand(client, '/api/v1/rollback', flags, context, body))
	})
}
