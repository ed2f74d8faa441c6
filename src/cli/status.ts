import { type Command, Option } from 'commander'
import { limits } from '#base/limits.ts'
import type { Status } from '#controller/status.ts'
import type { ApiClient } from './api-client.ts'
import { sayFailure, withDaemon } from './daemon-call.ts'
import { addSettingFlags, type SettingFlags } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { parseDuration } from './parse-duration.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import { renderStatus } from './status-text.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type StatusFlags = SettingFlags & {
	readonly watch?: true
	readonly wait?: true
	readonly timeout?: string
	readonly output: 'text' | 'json'
}

export function addStatus(program: Command, context: VerbContext): void {
	const command = program
		.command('status')
		.helpGroup(verbGroups.daemon)
		.summary('say what is in force, what moves, what is held and why')
		.description(
			'Asks the daemon what is going on. With --watch it keeps saying so; with --wait it ends when nothing moves.',
		)
		.option('-w, --watch', 'go on: redraw on a terminal, else one line for each change')
		.option('--wait', 'like --watch, and end when no rollout moves any more')
		.option('--timeout <duration>', 'with --watch or --wait: end after this long, with 75')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(['text', 'json']).default('text'))
		.addHelpText(
			'after',
			'\nExit codes: 0 settled or moving, 1 the state cannot be stored, 3 refused, 4 rolled back, 5 held, 69 no daemon, 75 timeout.',
		)
	addSettingFlags(command, ['http']).action((flags: StatusFlags) =>
		withDaemon(flags, context, (client) => status(client, flags, context)),
	)
}

async function status(client: ApiClient, flags: StatusFlags, context: VerbContext): Promise<Exit> {
	const timeout = flags.timeout === undefined ? null : parseDuration(flags.timeout)
	if (timeout !== null && !timeout.ok) return sayFailure({ exit: 'usage', message: timeout.error }, context)
	if (flags.watch === true || flags.wait === true)
		return watch(client, flags, { context, timeoutMs: timeout?.value ?? null })
	const answer = await client.get<Status>('/api/v1/status')
	if (!answer.ok) return sayFailure(answer.error, context)
	const { terminal } = context
	terminal.out(
		flags.output === 'json' ? toPrintableJson(answer.value) : renderStatus(answer.value, { color: terminal.color.out }),
	)
	return exitOf(answer.value)
}

/** What a status says to a script: what is worst comes first. */
export function exitOf({ durable, refused, rollouts, headline }: Status): Exit {
	if (rollouts.some(({ quarantined, phase }) => quarantined || phase === 'rollingBack' || phase === 'ramping'))
		return 'wentBack'
	if (refused !== null) return 'findings'
	if (!durable) return 'failed'
	return headline.level === 'held' ? 'held' : 'ok'
}

type WatchOptions = { readonly context: VerbContext; readonly timeoutMs: number | null }

async function watch(client: ApiClient, flags: StatusFlags, { context, timeoutMs }: WatchOptions): Promise<Exit> {
	const { terminal } = context
	const untilMs = timeoutMs === null ? Infinity : performance.now() + timeoutMs
	let said: ReadonlyMap<string, string> = new Map()
	for (;;) {
		const answer = await client.get<Status>('/api/v1/status')
		if (!answer.ok) return sayFailure(answer.error, context)
		const current = answer.value
		const lines = linesOf(current)
		const isNews = [...lines].some(([key, line]) => said.get(key) !== line)
		if (flags.output === 'json') {
			if (isNews) terminal.out(JSON.stringify(current))
		} else if (terminal.isInteractive) {
			terminal.out(`\u001b[H\u001b[2J${renderStatus(current, { color: terminal.color.out })}`)
		} else
			for (const [key, line] of lines) if (said.get(key) !== line) terminal.out(`${current.time} ${toPrintable(line)}`)
		said = lines
		if (flags.wait === true && isAtRest(current)) return exitOf(current)
		if (performance.now() >= untilMs)
			return sayFailure({ exit: 'timeout', message: `still: ${current.headline.text}` }, context)
		await new Promise((resolve) => setTimeout(resolve, limits.cliWatchMs))
	}
}

/** What a change is told by: figures that move all the time are no change. */
function linesOf({ headline, rollouts, source, refused }: Status): Map<string, string> {
	const lines = rollouts.map(({ id, phase, step, steps, holds, confirmed, text }) => {
		const codes = [...new Set(holds.map(({ code }) => code))].sort().join(' ')
		const isEnded = phase === 'succeeded' || phase === 'rolledBack' || phase === 'aborted'
		const word = confirmed || isEnded ? '' : ' not confirmed yet'
		return [
			id,
			`${id} ${phase} step ${step}/${steps.length}${codes === '' ? '' : ` ${codes}`}${word}${isEnded ? `: ${text}` : ''}`,
		] as const
	})
	const refusal = refused === null ? '' : (refused.diagnostics[0]?.message ?? '')
	return new Map(
		[
			...lines,
			['source', `source ${source.kind}`],
			['refused', `refused ${refusal}`],
			['level', `now ${headline.level}`],
		].filter(([, line]) => line !== 'refused ') as [string, string][],
	)
}

/** A daemon that has just started and is about to take in its first revision is not at rest either. */
function isAtRest({ headline, rollouts, accepted, refused, source }: Status): boolean {
	const isBeginning = accepted === null && refused === null && source.kind !== 'unreachable'
	return (
		!isBeginning &&
		headline.level !== 'moving' &&
		rollouts.every(({ endedAt, phase }) => endedAt !== null || phase === 'paused')
	)
}
