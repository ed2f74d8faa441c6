import type { Command } from 'commander'
import { type CommandFlags, sayFailure, sendCommand, withDaemon } from './daemon-call.ts'
import { parseDuration } from './parse-duration.ts'
import { parseRouteName } from './parse-route-name.ts'
import { addCommandFlags } from './rollout.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type ScopeFlags = CommandFlags & { readonly mesh?: string; readonly router?: string; readonly route?: string }
type FreezeFlags = ScopeFlags & { readonly until?: string; readonly for?: string }

export function addFreeze(program: Command, context: VerbContext): void {
	const command = program
		.command('freeze')
		.helpGroup(verbGroups.daemon)
		.summary('let nothing start, take a step or be removed')
		.description(
			'Freezes everything, or what is named, until `unfreeze` or the time given. Ways back are taken as ever, and endpoints, certificates and new proxies are served.',
		)
		.option('--until <time>', 'when it ends: 2026-12-27T08:00:00Z')
		.option('--for <duration>', 'how long it lasts: 2h')
	addScopeFlags(command).action((flags: FreezeFlags) => {
		const body = bodyOf(flags)
		if (typeof body === 'string') return context.end(sayFailure({ exit: 'usage', message: body }, context))
		return withDaemon(flags, context, (client) => sendCommand(client, '/api/v1/freeze', flags, context, body))
	})
}

export function addUnfreeze(program: Command, context: VerbContext): void {
	const command = program
		.command('unfreeze')
		.helpGroup(verbGroups.daemon)
		.summary('lift a freeze')
		.description('Lifts the freeze of what is named; without a name that of everything. `status` lists them.')
	addScopeFlags(command).action((flags: ScopeFlags) => {
		const body = scopeOf(flags)
		if (typeof body === 'string') return context.end(sayFailure({ exit: 'usage', message: body }, context))
		return withDaemon(flags, context, (client) => sendCommand(client, '/api/v1/unfreeze', flags, context, body))
	})
}

function addScopeFlags(command: Command): Command {
	command
		.option('--mesh <name>', 'only this mesh')
		.option('--router <name>', 'only this virtual router and its routes')
		.option('--route <router/route>', 'only this route')
	return addCommandFlags(command)
}

function bodyOf({ until, for: lasting, ...flags }: FreezeFlags): object | string {
	const scope = scopeOf(flags)
	if (typeof scope === 'string' || (until === undefined && lasting === undefined)) return scope
	if (until !== undefined) return lasting === undefined ? { ...scope, until } : 'give --until or --for, not both'
	const duration = parseDuration(lasting ?? '')
	return duration.ok ? { ...scope, forMs: duration.value } : duration.error
}

/** What is named, or in a string why it cannot be. */
function scopeOf({ mesh, router, route }: ScopeFlags): object | string {
	if (route === undefined) return { mesh, router }
	if (router !== undefined) return 'give --router or --route, not both'
	const named = parseRouteName(route)
	return named.ok ? { mesh, ...named.value } : named.error
}
