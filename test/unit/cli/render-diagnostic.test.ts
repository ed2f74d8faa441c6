import { expect, test } from 'vitest'
import type { Diagnostic } from '../../../src/base/diagnostic.ts'
import { renderDiagnostic } from '../../../src/cli/render-diagnostic.ts'

const diagnostic: Diagnostic = {
	code: 'SL0301',
	severity: 'error',
	message: 'the virtual node "serviceBee" is not declared',
	file: 'routes/b.yaml',
	line: 10,
	column: 12,
	hint: 'did you mean "serviceB"?',
	frame: [
		{ line: 9, text: 'weightedTargets:' },
		{ line: 10, text: '\t- {node: serviceBee}' },
		{ line: 11, text: '' },
	],
}

test('place, source lines with a caret, and the way out', () => {
	expect(renderDiagnostic(diagnostic, { color: false }).split('\n')).toEqual([
		'error[SL0301]: the virtual node "serviceBee" is not declared',
		'  --> routes/b.yaml:10:12',
		'   |',
		' 9 | weightedTargets:',
		'10 |  - {node: serviceBee}',
		'   |            ^',
		'11 |',
		'   |',
		'   = help: did you mean "serviceB"?',
	])
})

test('without a place or a hint', () => {
	const bare: Diagnostic = { ...diagnostic, severity: 'warning', file: '', line: 0, column: 0, hint: null, frame: [] }
	expect(renderDiagnostic(bare, { color: false })).toBe(
		'warning[SL0301]: the virtual node "serviceBee" is not declared\n --> revision',
	)
})

test('colour changes nothing but colour', () => {
	const coloured = renderDiagnostic(diagnostic, { color: true })
	expect(coloured).toContain('\u001b[31m')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
	expect(coloured.replace(/\u001b\[[0-9;]*m/g, '')).toBe(renderDiagnostic(diagnostic, { color: false }))
})

test.for(['\u001b[2J', '\u0007', '\r', '\n', '\u202e', '\u2066', '\u200b', '\u2028', '\u009b31m', '\ud800'])(
	'%j does not reach the terminal',
	(evil) => {
		const shown = renderDiagnostic(
			{ ...diagnostic, message: evil, file: `a${evil}b`, hint: evil, frame: [{ line: 10, text: `x${evil}` }] },
			{ color: false },
		)
		expect(shown.split('\n').length).toBe(6)
		for (const character of evil.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Cs}]/gu) ?? []) {
			expect(shown.replaceAll('\n', '')).not.toContain(character)
		}
	},
)

test('a place beyond the shown part of a long line has no caret', () => {
	expect(renderDiagnostic({ ...diagnostic, column: 500 }, { color: false })).not.toContain('^')
})
