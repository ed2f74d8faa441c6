import { expect, test } from 'vitest'
import type { Diagnostic } from '#base/diagnostic.ts'
import { renderGithub } from '#cli/render-github.ts'

const finding: Diagnostic = {
	code: 'SL0204',
	severity: 'error',
	message: 'unknown field',
	file: 'mesh/a,b:c.yaml',
	line: 3,
	column: 5,
	hint: 'did you mean 100%?',
	frame: [],
}

test('a finding is a command on its line', () => {
	expect(renderGithub([finding])).toBe(
		'::error file=mesh/a%2Cb%3Ac.yaml,line=3,col=5,title=SL0204::unknown field. did you mean 100%25?',
	)
})

test('text cannot end the command or begin another', () => {
	const hostile = { ...finding, message: 'a\n::set-output name=x::y', file: '', hint: null }
	expect(renderGithub([hostile])).toBe('::error title=SL0204::a\ufffd::set-output name=x::y')
})

test('errors come first, and what is not shown is counted', () => {
	const warnings = Array.from({ length: 12 }, (): Diagnostic => ({ ...finding, severity: 'warning' }))
	const lines = renderGithub([...warnings, finding]).split('\n')
	expect(lines[0]).toMatch(/^::error /)
	expect(lines.filter((line) => line.startsWith('::warning '))).toHaveLength(10)
	expect(lines.at(-1)).toBe('::notice::+2 more findings')
})
