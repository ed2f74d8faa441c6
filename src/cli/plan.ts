import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TrafficAnswer } from '#api/api.ts'
import type { PlanOutcome, PlanPreview, PlanRequest } from '#controller/preview.ts'
import { sayFailure, withDaemon } from './daemon-call.ts'
import { addSettingFlags, type SettingFlags } from './daemon-flags.ts'
import type { Exit } from './exit-codes.ts'
import { countFindings, type OutputForm, outputForms, renderFindings } from './offline-output.ts'
import { renderPlan } from './plan-text.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type PlanFlags = SettingFlags & {
	readonly base?: string
	readonly rps?: number
	readonly baseErrors?: number
	readonly daemon?: true
	readonly output: OutputForm
	readonly detailedExitcode?: true
}

export function addPlan(program: Command, context: VerbContext): void {
	const command = program
		.command('plan')
		.helpGroup(verbGroups.offline)
		.summary('say what a change would do to traffic, before it is merged')
		.description(
			'Compares the mesh in a folder with what it was, and says what would happen: steps, evidence, resources.',
		)
		.argument('[path]', 'folder that holds the mesh', '.')
		.option('--base <ref|folder>', 'what to compare with (default: the last commit, where there is one)')
		.option('--rps <n>', "requests per second that each route has, for the plan's times", parseCount)
		.option('--base-errors <percent>', 'with --rps: how many of them fail now (default: 0.1)', parsePercent)
		.option('--daemon', 'take both from the daemon, which knows what its proxies count now')
		.option('--detailed-exitcode', 'exit with 2 when there are changes')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(outputForms).default('text'))
		.addHelpText(
			'after',
			'\nExit codes: 0 planned, 2 there are changes (only with --detailed-exitcode), 3 errors, 65 cannot be read, 69 no daemon.',
		)
	addSettingFlags(command, ['http']).action((path: string, flags: PlanFlags) => planAt(path, flags, context))
}

async function planAt(path: string, flags: PlanFlags, context: VerbContext): Promise<void> {
	const { rps, baseErrors, daemon } = flags
	const mistake = mistakeIn(flags)
	if (mistake !== null) return context.end(sayFailure({ exit: 'usage', message: mistake }, context))
	if (daemon === true) {
		return withDaemon(flags, context, async (client) => {
			const answer = await client.get<TrafficAnswer>('/api/v1/traffic')
			if (!answer.ok) return sayFailure(answer.error, context)
			return plan(path, { flags, traffic: { kind: 'daemon', traffic: answer.value }, context })
		})
	}
	const errorShare = (baseErrors ?? defaultBaseErrors) / 100
	const traffic = rps === undefined ? null : ({ kind: 'given', requestsPerSecond: rps, errorShare } as const)
	context.end(await plan(path, { flags, traffic, context }))
}

/** Percent. */
const defaultBaseErrors = 0.1

function mistakeIn({ rps, baseErrors, daemon }: PlanFlags): string | null {
	if (daemon === true && rps !== undefined) return '--rps and --daemon each say what the traffic is: give one of them'
	if (baseErrors !== undefined && rps === undefined) return '--base-errors goes with --rps'
	return null
}

function parseCount(text: string): number {
	const value = Number(text)
	if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('A number, 0 or more.')
	return value
}

function parsePercent(text: string): number {
	const value = parseCount(text)
	if (value > 100) throw new InvalidArgumentError('A percentage, 0 to 100.')
	return value
}

type Asked = { readonly flags: PlanFlags; readonly traffic: PlanRequest['traffic']; readonly context: VerbContext }

async function plan(path: string, { flags, traffic, context }: Asked): Promise<Exit> {
	const { terminal } = context
	const { previewPlan } = await import('#controller/preview.ts')
	const outcome = await previewPlan({ path, base: flags.base ?? null, traffic })
	switch (outcome.kind) {
		case 'unreadable':
			terminal.talk(`sluice: ${toPrintable(outcome.message)}`)
			return 'badInput'
		case 'refused':
			return sayRefused(outcome, { path, form: flags.output, terminal })
		case 'planned':
			sayPlan(outcome.preview, { path, form: flags.output, terminal })
			if (outcome.preview.traps.length > 0) return 'findings'
			return flags.detailedExitcode === true && outcome.preview.changes.length > 0 ? 'changes' : 'ok'
	}
}

type SayOptions = { readonly path: string; readonly form: OutputForm; readonly terminal: Terminal }

function sayRefused(outcome: Extract<PlanOutcome, { kind: 'refused' }>, { path, form, terminal }: SayOptions): Exit {
	const { side, name, diagnostics } = outcome
	if (form === 'json')
		terminal.out(toPrintableJson({ apiVersion: 'sluice/v1', kind: 'PlanRefused', side, name, diagnostics }))
	else terminal.out(renderFindings(diagnostics, { folder: side === 'new' ? path : '', form, terminal }))
	const what =
		side === 'new' ? 'the mesh is refused' : `the base ${toPrintable(name)} is no valid mesh; name another with --base`
	terminal.talk(`\n${what}: ${countFindings(diagnostics)}`)
	return side === 'new' ? 'findings' : 'badInput'
}

function sayPlan(preview: PlanPreview, { path, form, terminal }: SayOptions): void {
	if (form === 'json') return terminal.out(toPrintableJson({ apiVersion: 'sluice/v1', kind: 'Plan', ...preview }))
	const findings = [...preview.traps, ...preview.warnings]
	if (findings.length > 0) terminal.out(`${renderFindings(findings, { folder: path, form, terminal })}\n`)
	terminal.out(renderPlan(preview, { color: terminal.color.out }))
	if (preview.traps.length > 0)
		terminal.talk(`\nthe mesh is refused beside this base, unless accepted: ${countFindings(preview.traps)}`)
}
