import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { type PlacedFinding, placeFindings } from '../../../src/mesh/place-findings.ts'
import { sourceText } from '../../../src/mesh/source-text.ts'

const finding = (changes: Partial<PlacedFinding>): PlacedFinding => ({
	code: 'SL0102',
	severity: 'error',
	message: 'wrong',
	file: 'a.yaml',
	offset: 0,
	hint: () => null,
	...changes,
})
const sources = new Map([['a.yaml', sourceText('one\ntwo\nthree\n')]])

test('a finding gets line, column and source lines; one about a file or the revision none', () => {
	const [revision, file, line] = placeFindings(
		[finding({ offset: 5 }), finding({ offset: null }), finding({ file: '', offset: null })],
		sources,
	)
	expect([revision?.file, revision?.line, revision?.frame]).toEqual(['', 0, []])
	expect([file?.file, file?.line, file?.column]).toEqual(['a.yaml', 0, 0])
	expect([line?.line, line?.column, line?.frame.map(({ text }) => text)]).toEqual([2, 2, ['one', 'two', 'three']])
})

test('far too many: errors are shown before warnings, the rest is counted', () => {
	const warnings = Array.from({ length: limits.diagnostics }, () => finding({ severity: 'warning' }))
	const errors = [finding({ offset: 9 }), finding({ offset: 10 })]
	let asked = 0
	const counted = [...warnings, ...errors].map((one) => ({
		...one,
		hint: () => {
			asked++
			return null
		},
	}))
	const shown = placeFindings(counted, sources)
	expect(shown.length).toBe(limits.diagnostics + 1)
	expect(shown.filter(({ severity }) => severity === 'error').length).toBe(2)
	expect(shown.at(-1)).toMatchObject({ code: 'SL0005', severity: 'warning', message: expect.stringMatching(/^2 more/) })
	expect(asked).toBe(limits.diagnostics)
})

test('errors and warnings stand together, by place', () => {
	const shown = placeFindings([finding({ offset: 9 }), finding({ offset: 1, severity: 'warning' })], sources)
	expect(shown.map(({ line, severity }) => [line, severity])).toEqual([
		[1, 'warning'],
		[3, 'error'],
	])
})
