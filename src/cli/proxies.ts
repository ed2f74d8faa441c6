import { type Command, Option } from 'commander'
import type { ProxyListAnswer } from '#api/api.ts'
import type { ApiClient } from './api-client.ts'
import { type CommandFlags, sayFailure, sendCommand, withDaemon } from './daemon-call.ts'
import { addSettingFlags, type SettingFlags } from './daemon-flags.ts'
import { describeExclusion } from './describe-exclusion.ts'
import type { Exit } from './exit-codes.ts'
import { durationField } from './parse-duration.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import { addCommandFlags } from './rollout.ts'
import { type Paint, paintFor } from './terminal.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type ProxyStatus = ProxyListAnswer['proxies'][number]
type ListFlags = SettingFlags & { readonly output: 'text' | 'json' }
type ExcludeFlags = CommandFlags & { readonly for?: string }

export function addProxies(program: Command, context: VerbContext): void {
	const proxies = program
		.command('proxies')
		.helpGroup(verbGroups.daemon)
		.summary('list proxies, exclude one from what is waited for, include it again')
	proxies.description('Connected and expected proxies, and those that were excluded.')
	const list = proxies
		.command('list')
		.description('one line for each proxy')
		.argument('[name]', 'only those whose name begins so', '')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(['text', 'json']).default('text'))
	addSettingFlags(list, ['http']).action((name: string, flags: ListFlags) =>
		withDaemon(flags, context, (client) => listProxies(client, { name, flags }, context)),
	)
	const exclude = proxies
		.command('exclude')
		.description(
			'Nothing waits for this proxy any more: no step, no removal, no confirmation; and its counters are no evidence. ' +
				'It is served all the same: requests fail there that go to a version it cannot reach.',
		)
		.argument('<id>', 'as `proxies list` shows it')
		.option('--for <duration>', 'how long, as in 1h (default: until it is included)')
	addCommandFlags(exclude).action((id: string, flags: ExcludeFlags) =>
		withDaemon(flags, context, (client) => sendExclude(client, { id, flags }, context)),
	)
	const include = proxies
		.command('include')
		.description('it counts again')
		.argument('<id>', 'as `proxies list` shows it')
	addCommandFlags(include).action((id: string, flags: CommandFlags) =>
		withDaemon(flags, context, (client) => sendCommand(client, `${pathOf(id)}/include`, flags, context)),
	)
}

function pathOf(id: string): string {
	return `/api/v1/proxies/${encodeURIComponent(id)}`
}

async function sendExclude(
	client: ApiClient,
	{ id, flags }: { readonly id: string; readonly flags: ExcludeFlags },
	context: VerbContext,
): Promise<Exit> {
	const lasting = durationField('forMs', { flag: '--for', text: flags.for })
	if (!lasting.ok) return sayFailure({ exit: 'usage', message: lasting.error }, context)
	return sendCommand(client, `${pathOf(id)}/exclude`, flags, context, lasting.value)
}

async function listProxies(
	client: ApiClient,
	{ name, flags }: { readonly name: string; readonly flags: ListFlags },
	context: VerbContext,
): Promise<Exit> {
	const answer = await client.get<ProxyListAnswer>(`/api/v1/proxies?${new URLSearchParams({ name })}`)
	if (!answer.ok) return sayFailure(answer.error, context)
	const { terminal } = context
	const { proxies, more } = answer.value
	const paint = paintFor(terminal.color.out)
	if (flags.output === 'json') terminal.out(toPrintableJson(answer.value))
	else if (proxies.length === 0) terminal.talk('no proxy is connected or expected')
	else terminal.out(proxies.map((proxy) => renderProxy(proxy, paint)).join('\n'))
	if (more > 0) terminal.talk(`and ${more} more: name what theirs begin with`)
	return 'ok'
}

/** `▶ CURRENT  mesh/apps/virtualNode/serviceA#host-1  Envoy 1.40, zone a`, and what is wrong with it. */
export function renderProxy({ proxy, standing, zone, envoy, silent, excluded }: ProxyStatus, paint: Paint): string {
	const about = [
		...(envoy === '' ? [] : [`Envoy ${envoy}`]),
		...(zone === '' ? [] : [`zone ${zone}`]),
		...(silent ? ['no fresh counters'] : []),
	]
	const out = excluded === null ? [] : [paint.yellow(toPrintable(`    - EXCLUDED ${describeExclusion(excluded)}`))]
	return [
		`${signOf(standing, paint)}  ${paint.bold(toPrintable(proxy))}  ${toPrintable(about.join(', '))}`,
		...out,
	].join('\n')
}

function signOf(standing: ProxyStatus['standing'], paint: Paint): string {
	switch (standing) {
		case 'current':
			return paint.green('✓ CURRENT ')
		case 'pending':
			return paint.cyan('▶ PENDING ')
		case 'rejected':
			return paint.red('✗ REJECTED')
		case 'gone':
			return paint.yellow('? GONE    ')
		case 'absent':
			return paint.yellow('? ABSENT  ')
	}
}
