import { join } from 'node:path'
import type { Diagnostic } from '#base/diagnostic.ts'
import { renderDiagnostic } from './render-diagnostic.ts'
import { renderGithub } from './render-github.ts'
import type { Terminal } from './terminal.ts'

/** How the offline verbs say what they found. `github`: workflow commands, shown beside the lines of a pull request. */
export const outputForms = ['text', 'json', 'github'] as const
export type OutputForm = (typeof outputForms)[number]

/** Findings as people read them. Files are named as seen from where the command runs. */
export function renderFindings(
	diagnostics: readonly Diagnostic[],
	options: { folder: string; form: 'text' | 'github'; terminal: Terminal },
): string {
	const { folder, form, terminal } = options
	const placed = diagnostics.map((diagnostic) => withFolder(diagnostic, folder))
	switch (form) {
		case 'github':
			return renderGithub(placed)
		case 'text':
			return placed.map((diagnostic) => renderDiagnostic(diagnostic, { color: terminal.color.out })).join('\n\n')
	}
}

function withFolder(diagnostic: Diagnostic, folder: string): Diagnostic {
	return diagnostic.file === '' ? diagnostic : { ...diagnostic, file: join(folder, diagnostic.file) }
}

/** `2 errors, 1 warning`. */
export function countFindings(diagnostics: readonly Diagnostic[]): string {
	const errors = diagnostics.filter(({ severity }) => severity === 'error').length
	const warnings = diagnostics.length - errors
	return (
		[count(errors, 'error'), count(warnings, 'warning')].filter((text) => text !== null).join(', ') || 'no findings'
	)
}

function count(number: number, noun: string): string | null {
	if (number === 0) return null
	return `${number} ${noun}${number === 1 ? '' : 's'}`
}
