// What lint cannot see: sizes, names, tables that must agree, and traces of the machine a file was written on.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diagnosticCodes } from '#base/diagnostic-codes.ts'
import { pureRooms, rooms } from '../scripts/walls.ts'

const root = join(import.meta.dirname, '..')
const lineBound = 300
// `connection-manager` is Envoy's own name.
const vagueNames = /(^|-)(utils?|helpers?|common|(?<!connection-)manager|misc|data|info|handler)(-|\.)|^index\./

const isGenerated = (file: string) => file.startsWith('src/proto/gen/') || file.includes('.generated.')
const sources = filesOf('src/**/*.{ts,tsx,mjs}')
const tests = filesOf('test/**/*.ts')
const scripts = filesOf('{scripts,bench}/**/*.{ts,mjs}')
const prose = filesOf(
	'{docs,schemas,mesh-config,.ci}/**/*',
	'*.{md,json,ts}',
	'Dockerfile',
	'.gitignore',
	'.dockerignore',
)

/** Files by hand, as paths from the project's folder, in order. */
function filesOf(...patterns: string[]): string[] {
	const found = globSync(patterns, { cwd: root, withFileTypes: true })
	const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
	return paths
		.map((path) => path.slice(root.length + 1))
		.filter((file) => !isGenerated(file))
		.sort()
}

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** The files of which `pattern` finds something, with what it finds. */
function findings(files: readonly string[], pattern: RegExp): string[] {
	return files.flatMap((file) => {
		const found = pattern.exec(textOf(file))
		return found === null ? [] : [`${file}: ${found[0]}`]
	})
}

describe('files', () => {
	test('there are some', () => {
		expect(sources).toContain('src/base/limits.ts')
		expect(tests).toContain('test/tidy.test.ts')
	})

	test(`of src/ have at most ${lineBound} lines`, () => {
		const long = sources.map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
		// One list that grows by a line for each resource or case is not two things.
		const lists = ['src/base/limits.ts', 'src/base/diagnostic-codes.ts']
		expect(long.filter(({ file, lines }) => lines > lineBound && !lists.includes(file))).toEqual([])
	})

	test('say in their name what they are', () => {
		expect([...sources, ...tests, ...scripts].filter((file) => vagueNames.test(basename(file)))).toEqual([])
	})

	test('of tests that run beside each other take addresses that no other takes', () => {
		const blocks = tests.flatMap((file) => textOf(file).match(/\bblock: \d+/g) ?? [])
		expect(blocks.length).toBeGreaterThan(30)
		expect(blocks.filter((block, index) => blocks.indexOf(block) !== index)).toEqual([])
	})

	test('name no place of the machine they were written on', () => {
		const here = new RegExp(`(${root}|/root/|/home/)[\\w./-]*`)
		expect(
			findings(
				[...sources, ...tests, ...scripts, ...prose].filter((file) => file !== 'test/tidy.test.ts'),
				here,
			),
		).toEqual([])
	})

	test('name no package registry but the public one', () => {
		const elsewhere = /"resolved": "https?:\/\/(?!registry\.npmjs\.org\/)[^"]*|\bregistry=\S+|--index-url\S*/
		expect(findings([...scripts, ...prose], elsewhere)).toEqual([])
	})
})

describe('rooms', () => {
	test('are those of the table of walls', () => {
		const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
		const known = [...rooms.map(({ name }) => name), 'base', 'proto']
		expect(folders.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([])
	})

	test('have the contracts that the table names', () => {
		const contracts = rooms.flatMap(({ name, contracts }) => contracts.map((file) => `src/${name}/${file}`))
		expect(contracts.filter((file) => !existsSync(join(root, file)))).toEqual([])
	})

	test('that are pure do not wait', () => {
		const pure = sources.filter((file) => pureRooms.includes(file.split('/')[1] ?? ''))
		expect(pure.length).toBeGreaterThan(0)
		expect(findings(pure, /^(?!\s*(\/\/|\*|\/\*)).*(\basync (function|\(|[a-z])|\bawait [\w(])/m)).toEqual([])
	})
})

describe('tests', () => {
	test('of one file are called like it', () => {
		const named = tests.filter((file) => /^test\/unit\/.+\/.+\.test\.ts$/.test(file))
		// Tests of a room as a whole, not of one of its files.
		const topics = ['hostile', 'schemas', 'manifest-types'].map((topic) => `test/unit/mesh/${topic}.test.ts`)
		const sourceOf = (file: string) => file.replace(/^test\/unit\//, 'src/').replace(/\.test\.ts$/, '')
		const orphans = named.filter(
			(file) =>
				!topics.includes(file) && !['.ts', '.tsx', '.mjs'].some((end) => sources.includes(sourceOf(file) + end)),
		)
		expect(orphans).toEqual([])
	})

	test('wait for events, never for time to pass, and fake no module of ours', () => {
		const others = tests.filter((file) => file !== 'test/tidy.test.ts')
		expect(findings(others, /['"](node:)?timers\/promises['"]/)).toEqual([])
		expect(findings(others, /setTimeout\((resolve|done)\b/)).toEqual([])
		expect(findings(others, /\bvi\.(mock|doMock)\(/)).toEqual([])
	})

	test('draw by the seed that is given, so that what fails once can be had again', () => {
		const times = (file: string, pattern: RegExp) => textOf(file).match(pattern)?.length ?? 0
		const draws = /\bfc\.(assert|sample)\(/g
		const seeds = /\bseed: |^\t*runs,$/gm
		const drawing = tests.filter((file) => file !== 'test/tidy.test.ts' && times(file, draws) > 0)
		expect(drawing.length).toBeGreaterThan(20)
		expect(drawing.filter((file) => times(file, seeds) < times(file, draws))).toEqual([])
	})
})

describe('names', () => {
	const table = Object.keys(diagnosticCodes)
	const codesIn = (files: readonly string[]) =>
		new Set(files.flatMap((file) => textOf(file).match(/\bSL\d{4}\b/g) ?? []))
	const users = sources.filter((file) => file !== 'src/base/diagnostic-codes.ts')
	const documented = filesOf('docs/errors.md')

	test('of diagnostic codes stand in the table, in order', () => {
		expect(table).toEqual(table.toSorted())
		expect([...codesIn([...users, ...filesOf('docs/**/*.md')])].filter((code) => !table.includes(code))).toEqual([])
	})

	test('of diagnostic codes in the table are used or explained', () => {
		const known = new Set([...codesIn(users), ...codesIn(documented)])
		expect(table.filter((code) => !known.has(code))).toEqual([])
	})

	test('of metrics stand in one file, each once', () => {
		const metric = /'sluice_[a-z0-9_]+'/g
		const places = sources.filter((file) => textOf(file).search(metric) >= 0)
		const metrics = places.flatMap((file) => textOf(file).match(metric) ?? []).map((name) => name.slice(1, -1))
		expect(places.length).toBeLessThanOrEqual(1)
		expect(new Set(metrics).size).toBe(metrics.length)
	})
})
