import type { Command } from 'commander'
import { limits } from '#base/limits.ts'
import { addSettingFlags, type SettingFlags, settingsOf } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { toPrintable } from './printable.ts'
import { valueOf } from './settings.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type HealthFlags = SettingFlags & { readonly ready?: true }

export function addHealthcheck(program: Command, context: VerbContext): void {
	const command = program
		.command('healthcheck')
		.helpGroup(verbGroups.daemon)
		.summary('ask a daemon whether it is alive; for containers without curl')
		.description('Exits with 0 when the daemon is alive (with --ready: when it serves), with 1 otherwise.')
		.option('--ready', 'ask whether it is ready to serve')
	addSettingFlags(command, ['http']).action(async (flags: HealthFlags) => context.end(await check(flags, context)))
}

/** 0 or 1 and nothing else: https://docs.docker.com/reference/dockerfile/#healthcheck */
async function check(flags: HealthFlags, context: VerbContext): Promise<Exit> {
	const settings = settingsOf(flags, context)
	const problem = settings.ok ? await findProblem(valueOf(settings.value, 'http'), flags) : settings.error.join('; ')
	if (problem === null) return 'ok'
	context.terminal.talk(`sluice: ${toPrintable(problem)}`)
	return 'failed'
}

async function findProblem(address: string, { ready }: HealthFlags): Promise<string | null> {
	try {
		const response = await fetch(`http://${address}/${ready === true ? 'readyz' : 'livez'}`, {
			signal: AbortSignal.timeout(limits.cliCallMs),
		})
		return response.ok ? null : (await response.text()).trim()
	} catch (error) {
		return `no answer from ${address}: ${error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)}`
	}
}
