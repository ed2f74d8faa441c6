import { type Command, Option } from 'commander'
import type { Exit } from './exit-codes.ts'
import { countFindings, type OutputForm, outputForms, renderFindings } from './offline-output.ts'
import { toPrintable, toPrintableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'
import { type VerbContext, verbGroups } from './verb.ts'

export function addValidate(program: Command, { terminal, end }: VerbContext): void {
	program
		.command('validate')
		.helpGroup(verbGroups.offline)
		.summary('check a mesh: every error at once, with its line')
		.description('Reads all *.yaml and *.yml of a folder as one mesh and says everything that is wrong with it.')
		.argument('[path]', 'folder that holds the mesh', '.')
		.addOption(new Option('-o, --output <form>', 'how to say it').choices(outputForms).default('text'))
		.addHelpText('after', '\nExit codes: 0 it can be served, 3 it has errors, 65 it cannot be read.')
		.action(async (path: string, { output }: { output: OutputForm }) => end(await validate(path, output, terminal)))
}

async function validate(path: string, form: OutputForm, terminal: Terminal): Promise<Exit> {
	const { validateFolder } = await import('#controller/preview.ts')
	const read = await validateFolder(path)
	if (read.kind === 'unreadable') {
		terminal.talk(`sluice: ${toPrintable(read.message)}`)
		return 'badInput'
	}
	const { outcome, files } = read
	const diagnostics = outcome.kind === 'ok' ? outcome.warnings : outcome.diagnostics
	const exit = outcome.kind === 'ok' ? 'ok' : 'findings'
	if (form === 'json') {
		terminal.out(
			toPrintableJson({
				apiVersion: 'sluice/v1',
				kind: 'Validation',
				valid: outcome.kind === 'ok',
				files,
				diagnostics,
			}),
		)
		return exit
	}
	if (diagnostics.length > 0) terminal.out(renderFindings(diagnostics, { folder: path, form, terminal }))
	const resources = outcome.kind === 'ok' ? `${Object.keys(outcome.mesh.resources).length} resources, ` : ''
	terminal.talk(
		`${diagnostics.length > 0 ? '\n' : ''}${outcome.kind === 'ok' ? 'valid' : 'refused'}: ${resources}${countFindings(diagnostics)}`,
	)
	return exit
}
