import pc from 'picocolors'
import { type Diagnostic, placeOf } from '#base/diagnostic.ts'
import { toPrintable } from './printable.ts'

/**
 * A finding as people read it in a terminal: severity and code, place, the source lines with a caret, the way out.
 * Control and direction-changing characters are taken out, whatever file or name they come from. No final newline.
 */
export function renderDiagnostic(diagnostic: Diagnostic, { color }: { readonly color: boolean }): string {
	const paint = pc.createColors(color)
	const tone = diagnostic.severity === 'error' ? paint.red : paint.yellow
	const gutter = ' '.repeat(String(diagnostic.frame.at(-1)?.line ?? 0).length)
	const lines = [
		`${paint.bold(tone(`${diagnostic.severity}[${toPrintable(diagnostic.code)}]`))}${paint.bold(`: ${toPrintable(diagnostic.message)}`)}`,
		`${gutter}${paint.blue('-->')} ${toPrintable(placeOf(diagnostic))}`,
	]
	if (diagnostic.frame.length > 0) lines.push(`${gutter} ${paint.blue('|')}`)
	for (const { line, text } of diagnostic.frame) {
		const number = String(line).padStart(gutter.length)
		lines.push(`${paint.blue(`${number} |`)} ${toPrintable(text)}`.trimEnd())
		if (line !== diagnostic.line) continue
		const indent = toPrintable(text.slice(0, diagnostic.column - 1))
		if (diagnostic.column <= text.length + 1) lines.push(`${gutter} ${paint.blue('|')} ${blank(indent)}${tone('^')}`)
	}
	if (diagnostic.frame.length > 0 && diagnostic.hint !== null) lines.push(`${gutter} ${paint.blue('|')}`)
	if (diagnostic.hint !== null)
		lines.push(`${gutter} ${paint.blue('=')} ${paint.bold('help')}: ${toPrintable(diagnostic.hint)}`)
	return lines.join('\n')
}

/** Spaces as wide as the text: a tab counts as one column, as it is shown. */
function blank(text: string): string {
	return ' '.repeat([...text].length)
}
