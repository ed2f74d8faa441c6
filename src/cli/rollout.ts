import { type Command, Option } from 'commander'
import type { RolloutAnswer } from '#api/api.ts'
import type { Status } from '#controller/status.ts'
import type { ApiClient } from './api-client.ts'
import { type CommandFlags, sayFailure, sendCommand, withDaemon } from './daemon-call.ts'
import { addSettingFlags, type SettingFlags } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { durationField } from './parse-duration.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import { addReplay } from './replay.ts'
import { renderRollout, renderRolloutRow } from './status-text.ts'
import { paintFor } from './terminal.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type MotionFlags = CommandFlags & { readonly full?: true; readonly ramp?: string }
type ListFlags = SettingFlags & { readonly output: 'text' | 'json' }

const commands = [
	{ verb: 'abort', about: 'go back to the last good shares, at once or by a ramp' },
	{ verb: 'approve', about: 'open the gate of the step in force' },
	{ verb: 'pause', about: 'stay where it is until resumed; the guard goes on, and takes it back if it must' },
	{ verb: 'resume', about: 'go on with what was paused' },
	{ verb: 'promote', about: 'take the next step without waiting for the proof; proxies are still waited for' },
	{ verb: 'retry', about: 'try again what was rolled back' },
] as const

export function addRollout(program: Command, context: VerbContext): void {
	const rollout = program
		.command('rollout')
		.helpGroup(verbGroups.daemon)
		.summary('list rollouts, look at one or replay it, pause, promote, abort or retry it')
	rollout.description('Rollouts that run, and those that ended lately.')
	addListing(rollout.command('list').description('one line for each rollout')).action((flags: ListFlags) =>
		withDaemon(flags, context, (client) => list(client, flags, context)),
	)
	addListing(
		rollout.command('show').description('one rollout and its history').argument('<id>', 'as `rollout list` shows it'),
	).action((id: string, flags: ListFlags) =>
		withDaemon(flags, context, (client) => show(client, { id, flags }, context)),
	)
	addReplay(rollout, context)
	for (const { verb, about } of commands) {
		const command = rollout.command(verb).description(about).argument('<id>', 'as `rollout list` shows it')
		if (verb === 'promote') command.option('--full', 'take all steps up to the target, which is watched as ever')
		if (verb === 'abort')
			command.option('--ramp <duration>', 'within so long, for a last good version that has been scaled down')
		addCommandFlags(command).action((id: string, flags: MotionFlags) => {
			const path = flags.full === true ? `${verb}-full` : verb
			return withDaemon(flags, context, (client) => move(client, `${pathOf(id)}/${path}`, flags, context))
		})
	}
}

async function move(client: ApiClient, path: string, flags: MotionFlags, context: VerbContext): Promise<Exit> {
	const ramp = durationField('rampMs', { flag: '--ramp', text: flags.ramp })
	if (!ramp.ok) return sayFailure({ exit: 'usage', message: ramp.error }, context)
	return sendCommand(client, path, flags, context, ramp.value)
}

function addListing(command: Command): Command {
	return addSettingFlags(
		command.addOption(new Option('-o, --output <form>', 'how to say it').choices(['text', 'json']).default('text')),
		['http'],
	)
}

/** Of every command that changes something: who asks and why is kept for ever. */
export function addCommandFlags(command: Command): Command {
	command
		.requiredOption('--reason <text>', 'why, for the journal')
		.option('--actor <name>', 'who asks (default: SLUICE_ACTOR, else user@host)')
	return addSettingFlags(command, ['http'])
}

function pathOf(id: string): string {
	return `/api/v1/rollouts/${encodeURIComponent(id)}`
}

async function list(client: ApiClient, flags: ListFlags, context: VerbContext): Promise<Exit> {
	const answer = await client.get<{ rollouts: Status['rollouts'] }>('/api/v1/rollouts')
	if (!answer.ok) return sayFailure(answer.error, context)
	const { terminal } = context
	const { rollouts } = answer.value
	if (flags.output === 'json') terminal.out(toPrintableJson(answer.value))
	else if (rollouts.length === 0) terminal.talk('no rollouts yet')
	else terminal.out(rollouts.map((rollout) => renderRolloutRow(rollout, paintFor(terminal.color.out))).join('\n'))
	return 'ok'
}

async function show(
	client: ApiClient,
	{ id, flags }: { id: string; flags: ListFlags },
	context: VerbContext,
): Promise<Exit> {
	const answer = await client.get<RolloutAnswer>(pathOf(id))
	if (!answer.ok) return sayFailure(answer.error, context)
	const { terminal } = context
	const { rollout, history } = answer.value
	if (flags.output === 'json') {
		terminal.out(toPrintableJson(answer.value))
		return 'ok'
	}
	const lines = history.map(
		({ entry }) => `  ${new Date(entry.wallMs).toISOString()}  ${entry.event}  ${entry.actor}: ${entry.reason}`,
	)
	terminal.out(
		[renderRollout(rollout, paintFor(terminal.color.out)), '', 'History', ...lines.map(toPrintable)].join('\n'),
	)
	return 'ok'
}
