import type { Command } from 'commander'
import { type CommandFlags, sendCommand, withDaemon } from './daemon-call.ts'
import { addCommandFlags } from './rollout.ts'
import { type VerbContext, verbGroups } from './verb.ts'

export function addAccept(program: Command, context: VerbContext): void {
	const command = program
		.command('accept')
		.helpGroup(verbGroups.daemon)
		.summary('take in a refused revision: a rewritten branch, a mass delete, an empty mesh')
		.description(
			'Takes in a revision that Sluice refused for safety, as `status` shows it. One with errors stays refused.',
		)
		.argument('<revision>', 'its full id')
	addCommandFlags(command).action((revision: string, flags: CommandFlags) =>
		withDaemon(flags, context, (client) =>
			sendCommand(client, `/api/v1/revisions/${encodeURIComponent(revision)}/accept`, flags, context),
		),
	)
}
