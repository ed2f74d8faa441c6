// What the documents say is what the code does, as far as a table or an example can be compared with it.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diagnosticCodes } from '#base/diagnostic-codes.ts'
import { exitCodes } from '#cli/exit-codes.ts'
import { settingTable, variableOf } from '#cli/settings.ts'
import { runExpectations } from '#controller/run-expectations.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { namesTest } from './fixtures/named-test.ts'

const root = join(import.meta.dirname, '..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const documents = ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()]

/** The rows of the tables below a heading, up to the next one; cells without backticks. */
function rowsBelow(text: string, heading: string): string[][] {
	const [, after = ''] = text.split(`\n${heading}\n`)
	const section = after.split(/\n#+ /)[0] ?? ''
	const lines = section.split('\n').filter((line) => line.startsWith('| '))
	return lines.map((line) =>
		line
			.split(/(?<!\\)\|/)
			.slice(1, -1)
			.map((cell) => cell.trim().replaceAll('`', '')),
	)
}

const withoutHead = (rows: string[][]) => rows.filter((_, index) => index > 1)

test('the examples of mesh YAML are one valid mesh', () => {
	const examples = [...textOf('docs/mesh-yaml.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text)
	expect(examples.length).toBeGreaterThan(5)
	const files = examples.map((text, index) => [`example-${index}.yaml`, new TextEncoder().encode(text)] as const)
	const outcome = readMesh(new Map(files))
	expect(outcome.kind === 'ok' ? outcome.warnings : outcome.diagnostics).toEqual([])
	if (outcome.kind === 'refused') throw new Error('it is valid')
	// It does what its own example of an expectation says.
	expect(outcome.expectations).toHaveLength(1)
	expect(runExpectations(outcome, new Map(files))).toBe(outcome)
})

test('every code of a finding is explained, by its own words', () => {
	const headings = [...textOf('docs/errors.md').matchAll(/^### (SL\d{4}): (.*)$/gm)]
	expect(headings.map(([, code, title]) => [code, title])).toEqual(Object.entries(diagnosticCodes))
})

test('every hold is explained', () => {
	const union = /export type Hold = \{\s+readonly code:([\s|'A-Z_]+)/.exec(textOf('src/rollout/rollout.ts'))?.[1] ?? ''
	const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code)
	expect(codes).toContain('NO_PROXY')
	expect(withoutHead(rowsBelow(textOf('docs/rollouts.md'), '## Holds')).map(([code]) => code)).toEqual(codes)
})

test('every metric is listed', () => {
	const names = [...textOf('src/api/metrics.ts').matchAll(/'(sluice_[a-z0-9_]+)'/g)].map(([, name]) => name)
	expect(names.length).toBeGreaterThan(5)
	expect(withoutHead(rowsBelow(textOf('docs/operations.md'), '## Metrics')).map(([name]) => name)).toEqual(names)
})

test('every exit code is listed', () => {
	const rows = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning])
	expect(withoutHead(rowsBelow(textOf('docs/operations.md'), '## Exit codes'))).toEqual(rows)
})

test('every setting is listed, with its default', () => {
	const rows = withoutHead(rowsBelow(textOf('README.md'), '## Settings')).map((row) => row.slice(0, 3))
	const settings = settingTable.map(({ name, byDefault }) => [`--${name}`, variableOf(name), byDefault ?? ''])
	expect(rows.filter(([flag]) => flag !== '--config')).toEqual(settings)
})

test('every command that is named exists', () => {
	const sources = globSync('src/cli/*.ts', { cwd: root }).map(textOf)
	const verbs = sources.flatMap((text) => [...text.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, verb]) => verb))
	const named = documents.flatMap((file) =>
		[...textOf(file).matchAll(/(?:`|^|\n)sluice ([a-z]+)/g)].map(([, verb]) => verb),
	)
	expect(named.length).toBeGreaterThan(20)
	expect([...new Set(named)].filter((verb) => !verbs.includes(verb))).toEqual([])
})

test('each clause of the xDS protocol has a test that exists, or is not offered', () => {
	const [, section = ''] = textOf('docs/xds.md').split('\n## The protocol, clause by clause\n')
	const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| \d+ \|/.test(line))
	const cells = rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
	expect(cells.map(([number]) => Number(number))).toEqual(rows.map((_, index) => index + 1))
	expect(rows.length).toBeGreaterThan(50)
	const wrong = cells.filter(([, , here = '', test = '']) =>
		test === '–' ? !here.startsWith('not offered') : !namesTest(test),
	)
	expect(wrong).toEqual([])
})

describe.for(documents)('%s', (file) => {
	test('leads nowhere that is not there', () => {
		const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = '']) => link)
		const broken = links.filter((link) => {
			const [path = '', anchor] = link.split('#')
			const target = path === '' ? file : join(dirname(file), path)
			if (!existsSync(join(root, target))) return true
			return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
		})
		expect(broken).toEqual([])
	})
})

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
	const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
	return headings.map((heading) =>
		heading
			.toLowerCase()
			.replace(/[^\w\- ]/g, '')
			.replaceAll(' ', '-'),
	)
}
