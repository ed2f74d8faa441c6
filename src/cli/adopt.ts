import type { Command } from 'commander'
import { type CommandFlags, sendCommand, withDaemon } from './daemon-call.ts'
import { addCommandFlags } from './rollout.ts'
import { type VerbContext, verbGroups } from './verb.ts'

export function addAdopt(program: Command, context: VerbContext): void {
	const command = program
		.command('adopt')
		.helpGroup(verbGroups.daemon)
		.summary('serve Git to proxies that held something when the store was empty')
		.description(
			'A daemon that starts with an empty store does not know at which step its proxies are: those that hold something else than Git asks for keep it, and `status` names them. This serves them what Git asks for, at once.',
		)
	addCommandFlags(command).action((flags: CommandFlags) =>
		withDaemon(flags, context, (client) => sendCommand(client, '/api/v1/adopt', flags, context)),
	)
}
