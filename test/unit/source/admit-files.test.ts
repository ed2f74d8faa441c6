import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { findRefusals, isMeshPath, type ListedFile } from '#source/admit-files.ts'

function plain(path: string, bytes = 1): ListedFile {
	return { kind: 'plain', path, bytes }
}

test.for([
	['a.yaml', true],
	['deep/er/a.yml', true],
	['a.YAML', false],
	['a.yaml.bak', false],
	['yaml', false],
	['.a.yaml', false],
	['.github/workflows/ci.yml', false],
	['..data/a.yaml', false],
] as const)('whether %s is mesh YAML: %s', ([path, is]) => {
	expect(isMeshPath(path)).toBe(is)
})

test('what is at its limit is taken', () => {
	expect(findRefusals([plain('a.yaml', limits.fileBytes)])).toEqual([])
	const full = Array.from({ length: 64 }, (_, index) => plain(`${index}.yaml`, limits.fileBytes))
	expect(findRefusals(full)).toEqual([])
	expect(findRefusals([...full, plain('one-more.yaml')])).toMatchObject([{ code: 'SL0005', file: '' }])
})

test('findings are sorted, and a long list of them is cut and counted', () => {
	const links = Array.from({ length: 50 }, (_, index): ListedFile => {
		return { kind: 'odd', path: `${String(99 - index)}.yaml`, because: 'is a link' }
	})
	const refusals = findRefusals(links)
	expect(refusals).toHaveLength(limits.refusalFindings + 1)
	expect(refusals[0]).toMatchObject({ file: '', message: '30 more files are not accepted' })
	expect(refusals[1]).toMatchObject({ code: 'SL0006', file: '50.yaml', message: '50.yaml is a link' })
})

test('a name that is odd is shown so that it does no harm', () => {
	const names = ['\ufffd.yaml', 'a\u2028b.yaml', 'e\u0301.yaml', `${'n'.repeat(limits.pathCharacters)}.yaml`]
	const refusals = findRefusals(names.map((name) => plain(name)))
	expect(refusals.map((refusal) => refusal.code)).toEqual(['SL0006', 'SL0006', 'SL0006', 'SL0006'])
	expect(refusals.map((refusal) => refusal.file)).toContain('a\\u2028b.yaml')
	for (const { file } of refusals) expect(file.length).toBeLessThanOrEqual(limits.shownTextCharacters + 1)
})
