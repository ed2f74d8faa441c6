import { type Command, Option } from 'commander'
import type { PlanOutcome, PlanPreview } from '#controller/preview.ts'
import type { Exit } from './exit-codes.ts'
import { countFindings, type OutputForm, outputForms, renderFindings } from './offline-output.ts'
import { renderPlan } from './plan-text.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'
import { type VerbContext, verbGroups } from './verb.ts'

type PlanFlags = { readonly base?: string; readonly output: OutputForm; readonly detailedExitcode?: true }

export function addPlan(program: Command, { terminal, end }: VerbContext): void {
	program
		.command('plan')
		.helpGroup(verbGroups.offline)
		.summary('say what a change would do to traffic, before it is merged')
		.description(
			'Compares the mesh in a folder with what it was, and says what would happen: steps, evidence, resources.',
		)
		.argument('[path]', 'folder that holds the mesh', '.')
		.option('--base <ref|folder>', 'what to compare with (default: the last commit, where there is one)')
		.option('--detailed-exitcode', 'exit with 2 when there are changes')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(outputForms).default('text'))
		.addHelpText(
			'after',
			'\nExit codes: 0 planned, 2 there are changes (only with --detailed-exitcode), 3 errors, 65 cannot be read.',
		)
		.action(async (path: string, flags: PlanFlags) => end(await plan(path, flags, terminal)))
}

async function plan(path: string, flags: PlanFlags, terminal: Terminal): Promise<Exit> {
	const { previewPlan } = await import('#controller/preview.ts')
	const outcome = await previewPlan({ path, base: flags.base ?? null })
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
