import { hostname, userInfo } from 'node:os'
import type { CommandAnswer } from '#api/api.ts'
import { type ApiClient, type CallFailure, createApiClient } from './api-client.ts'
import { type SettingFlags, settingsOf } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { toPrintable } from './printable.ts'
import { valueOf } from './settings.ts'
import type { VerbContext } from './verb.ts'

/** Runs what a verb asks of the daemon whose API the settings name. */
export async function withDaemon(
	flags: SettingFlags,
	context: VerbContext,
	ask: (client: ApiClient) => Promise<Exit>,
): Promise<void> {
	const settings = settingsOf(flags, context)
	if (settings.ok) return context.end(await ask(createApiClient(valueOf(settings.value, 'http'))))
	for (const problem of settings.error) context.terminal.talk(`sluice: ${toPrintable(problem)}`)
	context.end('usage')
}

export function sayFailure({ exit, message }: CallFailure, { terminal }: VerbContext): Exit {
	terminal.talk(`sluice: ${toPrintable(message)}`)
	return exit
}

export type CommandFlags = SettingFlags & { readonly reason: string; readonly actor?: string }

/**
 * Sends a command in somebody's name: --actor, else SLUICE_ACTOR, else the user of this machine.
 * @param more what the body says beside who and why
 */
export async function sendCommand(
	client: ApiClient,
	path: string,
	flags: CommandFlags,
	context: VerbContext,
	more: object = {},
): Promise<Exit> {
	const actor = flags.actor ?? context.environment.SLUICE_ACTOR ?? `${userInfo().username}@${hostname()}`
	const answer = await client.post<CommandAnswer>(path, { actor, reason: flags.reason, ...more })
	if (!answer.ok) return sayFailure(answer.error, context)
	context.terminal.out(toPrintable(answer.value.text))
	return 'ok'
}
