import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pureRooms, rooms, wallOverrides } from '../../scripts/walls.ts'

const root = join(import.meta.dirname, '../..')
const imports = 'style/noRestrictedImports'
const globals = 'style/noRestrictedGlobals'
const properties = 'nursery/noJsRestrictedProperties'

type Case = { readonly name: string; readonly file: string; readonly code: string; readonly rule: string | null }

const work = 'async function work(): Promise<boolean> {\n\treturn true\n}\n'
const floating = `${work}export function start(): void {\n\twork()\n}`
const misused = `${work}export function start(): number {\n\tif (work()) return 1\n\treturn 2\n}`
const inexhaustive = `type Step = { kind: 'on' } | { kind: 'off' }
export function nameOf(step: Step): string {
	switch (step.kind) {
		case 'on':
			return 'on'
	}
	return ''
}`

/** Each breaks one wall, or (rule null) goes through a door. The file of each is its own. */
const cases: readonly Case[] = [
	{ name: 'a stage imports a later one', file: 'mesh/a.ts', code: use('#plan/plan.ts'), rule: imports },
	{ name: 'a stage imports a later one by path', file: 'mesh/b.ts', code: use('../plan/plan.ts'), rule: imports },
	{
		name: 'a folder of a stage imports a later one by path',
		file: 'mesh/c/d.ts',
		code: use('../../plan/plan.ts'),
		rule: imports,
	},
	{ name: 'a way through src/', file: 'mesh/e.ts', code: use('../../src/plan/plan.ts'), rule: imports },
	{
		name: 'a stage imports the types of a later one',
		file: 'guard/a.ts',
		code: useType('#rollout/rollout.ts'),
		rule: imports,
	},
	{
		name: 'a stage imports what is inside an earlier one',
		file: 'plan/a.ts',
		code: use('#mesh/link.ts'),
		rule: imports,
	},
	{ name: 'a stage imports the controller', file: 'xds/a.ts', code: use('#controller/controller.ts'), rule: imports },
	{ name: 'a stage imports the lab', file: 'source/a.ts', code: use('#lab/parts.ts'), rule: imports },
	{ name: 'a stage imports the command', file: 'store/a.ts', code: use('#main.ts'), rule: imports },
	{ name: 'base imports a stage', file: 'base/a.ts', code: use('#mesh/mesh.ts'), rule: imports },
	{
		name: 'a stage that has no protos imports them',
		file: 'plan/b.ts',
		code: use('#proto/gen/a_pb.ts'),
		rule: imports,
	},
	{
		name: 'a face imports what is inside the controller',
		file: 'api/a.ts',
		code: use('#controller/step.ts'),
		rule: imports,
	},
	{
		name: 'a dynamic import',
		file: 'mesh/f.ts',
		code: "export const later = () => import('#plan/plan.ts')",
		rule: imports,
	},
	{
		name: 'an export from a later stage',
		file: 'mesh/g.ts',
		code: "export { one } from '#plan/plan.ts'",
		rule: imports,
	},
	{ name: 'generated protos by path', file: 'plan/e.ts', code: use('../proto/gen/a_pb.ts'), rule: imports },
	...pureRooms.flatMap(impurities),
	{ name: 'Node without its prefix', file: 'base/b.ts', code: use('fs'), rule: 'style/useNodejsImportProtocol' },
	{ name: 'a floating promise', file: 'xds/b.ts', code: floating, rule: 'nursery/noFloatingPromises' },
	{ name: 'a promise as a condition', file: 'xds/c.ts', code: misused, rule: 'nursery/noMisusedPromises' },
	{ name: 'a case is missing', file: 'plan/c.ts', code: inexhaustive, rule: 'nursery/useExhaustiveSwitchCases' },
	{
		name: 'an import cycle',
		file: 'store/b.ts',
		code: "import { two } from './c.ts'\nexport const one = two",
		rule: 'suspicious/noImportCycles',
	},
	{
		name: 'an import cycle, its other half',
		file: 'store/c.ts',
		code: "import { one } from './b.ts'\nexport const two = one",
		rule: 'suspicious/noImportCycles',
	},
	{ name: 'a barrel', file: 'store/d.ts', code: "export * from './b.ts'", rule: 'performance/noBarrelFile' },
	{ name: 'a default export', file: 'store/e.ts', code: 'export default 1', rule: 'style/noDefaultExport' },
	{
		name: 'a name in capitals',
		file: 'store/f.ts',
		code: 'export const LIMIT_BYTES = 1',
		rule: 'style/useNamingConvention',
	},
	{
		name: 'a file name in camel case',
		file: 'store/someFile.ts',
		code: 'export const one = 1',
		rule: 'style/useFilenamingConvention',
	},

	{ name: 'a contract of an earlier stage', file: 'plan/d.ts', code: use('#mesh/mesh.ts'), rule: null },
	{ name: 'base', file: 'mesh/h.ts', code: use('#base/result.ts'), rule: null },
	{ name: 'the folder above, in the same stage', file: 'compile/route/a.ts', code: use('../compiled.ts'), rule: null },
	{ name: 'a published schema', file: 'mesh/i.ts', code: use('../../schemas/route.schema.json'), rule: null },
	{ name: 'rollout and the whole guard', file: 'rollout/a.ts', code: use('#guard/judge.ts'), rule: null },
	{ name: 'the controller and the inside of a stage', file: 'controller/a.ts', code: use('#mesh/link.ts'), rule: null },
	{ name: 'a stage that has protos', file: 'compile/a.ts', code: use('#proto/gen/a_pb.ts'), rule: null },
	{
		name: 'a folder of its own, called like a room',
		file: 'compile/cluster/a.ts',
		code: use('../proto/a.ts'),
		rule: null,
	},
	{
		name: 'a face and the contract of the controller',
		file: 'api/b.ts',
		code: use('#controller/daemon.ts'),
		rule: null,
	},
	{ name: 'a clock at the edge', file: 'xds/d.ts', code: 'export const now = () => Date.now()', rule: null },
]

function impurities(room: string): Case[] {
	const codes = [
		['node', 'a node: import', use('node:fs/promises'), imports],
		['date', 'a clock', 'export const now = () => Date.now()', globals],
		['global-date', 'a clock by globalThis', 'export const now = () => globalThis.Date.now()', globals],
		['performance', 'a stop watch', 'export const now = () => performance.now()', globals],
		['timer', 'a timer', 'export const wait = () => setTimeout(() => {}, 1)', globals],
		['random', 'chance', 'export const dice = () => Math.random()', properties],
		['promise', 'a promise', 'export const later = (): Promise<void> => Promise.resolve()', globals],
		['process', 'the process', 'export const home = process.env.HOME', globals],
		['locale', 'an order that depends on the machine', "export const order = 'a'.localeCompare('b')", properties],
	] as const
	return codes.map(([file, name, code, rule]) => ({
		name: `${name} in ${room}`,
		file: `${room}/${file}.ts`,
		code,
		rule,
	}))
}

function use(specifier: string): string {
	return `import * as used from '${specifier}'\nexport const names = Object.keys(used)`
}

function useType(specifier: string): string {
	return `import type { Used } from '${specifier}'\nexport type Uses = Used[]`
}

describe('the walls', () => {
	let folder = ''
	let found = new Map<string, Set<string>>()

	beforeAll(() => {
		folder = mkdtempSync(join(tmpdir(), 'sluice-walls-'))
		for (const file of ['biome.json', 'biome.walls.json', 'package.json']) cpSync(join(root, file), join(folder, file))
		for (const { file, code } of cases) {
			const path = join(folder, 'src', file)
			mkdirSync(dirname(path), { recursive: true })
			writeFileSync(path, `${code}\n`)
		}
		found = lint(folder)
	})
	afterAll(() => rmSync(folder, { recursive: true }))

	test.for(cases.filter(({ rule }) => rule !== null))('stop: $name', ({ file, rule }) => {
		expect([...(found.get(file) ?? [])]).toContain(`lint/${rule}`)
	})

	test.for(cases.filter(({ rule }) => rule === null))('have a door for: $name', ({ file }) => {
		expect([...(found.get(file) ?? [])]).toEqual([])
	})
})

/** The rules that found something, by file of src/. */
function lint(folder: string): Map<string, Set<string>> {
	const biome = join(root, 'node_modules/.bin/biome')
	const run = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none'], { cwd: folder, encoding: 'utf8' })
	const rules = new Map<string, Set<string>>()
	for (const { category, location } of JSON.parse(run.stdout).diagnostics) {
		const file = location.path.replace(/^src\//, '')
		rules.set(file, (rules.get(file) ?? new Set()).add(category))
	}
	return rules
}

test('biome.walls.json is what the table says (npm run generate:walls)', () => {
	const written = JSON.parse(readFileSync(join(root, 'biome.walls.json'), 'utf8'))
	expect(written).toEqual({ overrides: wallOverrides() })
})

test('the pure rooms are those of the design', () => {
	expect(pureRooms).toEqual(['mesh', 'plan', 'guard', 'rollout', 'compile', 'snapshot', 'explain'])
	expect(new Set(rooms.map(({ name }) => name)).size).toBe(rooms.length)
})
