import type { Diagnostic } from '#base/diagnostic.ts'
import { toPrintable } from './printable.ts'

/** GitHub shows ten errors and ten warnings of a step. */
const mostShown = 10

/**
 * Findings as workflow commands, errors first:
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function renderGithub(diagnostics: readonly Diagnostic[]): string {
	const errors = diagnostics.filter(({ severity }) => severity === 'error')
	const warnings = diagnostics.filter(({ severity }) => severity === 'warning')
	const shown = [...errors.slice(0, mostShown), ...warnings.slice(0, mostShown)]
	const more = diagnostics.length - shown.length
	const lines = shown.map(toCommand)
	return [...lines, ...(more > 0 ? [`::notice::+${more} more findings`] : [])].join('\n')
}

function toCommand({ severity, code, message, file, line, column, hint }: Diagnostic): string {
	const place =
		file === '' ? [] : [`file=${escapeProperty(file)}`, ...(line === 0 ? [] : [`line=${line}`, `col=${column}`])]
	const text = hint === null ? message : `${message}. ${hint}`
	return `::${severity} ${[...place, `title=${escapeProperty(code)}`].join(',')}::${escapeData(text)}`
}

function escapeData(text: string): string {
	return toPrintable(text).replaceAll('%', '%25')
}

function escapeProperty(text: string): string {
	return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
