// What an attacker with a pull request may send: each file is refused with few words, and soon.
import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'
import { filesOf, smallMesh } from './small-mesh.ts'

const room = limits.fileBytes
const fill = (unit: string) => unit.repeat(Math.floor(room / unit.length))
const bombLevel = (level: number) => `l${level}: &l${level} [*l${level - 1}, *l${level - 1}, *l${level - 1}]\n`

const hostile: readonly (readonly [string, string | Uint8Array, string])[] = [
	['1 MB of {},', `a: [${'{},'.repeat(350_000)}]`, 'SL0005'],
	['as many {}, as a file may hold', `a: [${'{},'.repeat(80_000)}]`, 'SL0109'],
	[
		'an alias bomb',
		`l0: &l0 [x]\n${Array.from({ length: 16 }, (_, level) => bombLevel(level + 1)).join('')}`,
		'SL0107',
	],
	['deep nesting', '['.repeat(100_000), 'SL0107'],
	[
		'deep nesting in block style',
		Array.from({ length: 400 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
		'SL0107',
	],
	[
		'many unknown fields',
		`${smallMesh}${Array.from({ length: 15_000 }, (_, key) => `k${key}: 1\n`).join('')}`,
		'SL0204',
	],
	['one key again and again', fill('a: 1\n'), 'SL0103'],
	['many documents', fill('--- 1\n'), 'SL0109'],
	['many tags', fill('- !a b\n'), 'SL0105'],
	['one long word', 'a'.repeat(room), 'SL0109'],
	['a long number', smallMesh.replace('weight: 100', `weight: ${'9'.repeat(200_000)}`), 'SL0206'],
	['a large number', smallMesh.replace('weight: 100', `weight: ${'9'.repeat(300)}`), 'SL0106'],
	[
		'a long duration',
		`apiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: a, name: b}\nspec: {bake: ${'9'.repeat(200_000)}m}`,
		'SL0208',
	],
	[
		'a long host name',
		`apiVersion: sluice/v1\nkind: VirtualService\nmetadata: {mesh: a, name: ${'a-'.repeat(100_000)}}\nspec: {}`,
		'SL0208',
	],
	[
		'a regular expression to hang on',
		smallMesh.replace('prefix: /', `path: {regex: '${'(a*)*'.repeat(40)}(?=b)'}`),
		'SL0210',
	],
	[
		'a regular expression that grows',
		smallMesh.replace('prefix: /', "path: {regex: '((a{100}){100}){100}'}"),
		'SL0210',
	],
	['bytes that are no text', new Uint8Array(room).fill(0x80), 'SL0101'],
	['NUL bytes', new Uint8Array(room), 'SL0101'],
]

test.for(hostile)('%s', ([, content, code]) => {
	const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
	const outcome = readMesh(new Map([['hostile.yaml', bytes]]))
	const diagnostics = outcome.kind === 'refused' ? outcome.diagnostics : []
	expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code)
	expect(diagnostics.length).toBeLessThanOrEqual(limits.diagnostics + 1)
	expect(JSON.stringify(diagnostics).length).toBeLessThan(2_000_000)
})

test('more files than a revision may hold', () => {
	const one = new TextEncoder().encode(smallMesh)
	const files = new Map(Array.from({ length: limits.revisionFiles + 1 }, (_, file) => [`${file}.yaml`, one]))
	const outcome = readMesh(files)
	expect(outcome.kind === 'refused' && outcome.diagnostics.map(({ code }) => code)).toEqual(['SL0005'])
})

test('more bytes than a revision may hold', () => {
	const one = new Uint8Array(limits.fileBytes)
	const files = new Map(
		Array.from({ length: limits.revisionBytes / limits.fileBytes + 1 }, (_, file) => [`${file}.yaml`, one]),
	)
	const outcome = readMesh(files)
	expect(outcome.kind === 'refused' && outcome.diagnostics.map(({ code }) => code)).toEqual(['SL0005'])
})

test('as many files as a revision may hold, all wrong in the same way', () => {
	const texts = Array.from({ length: limits.revisionFiles }, (_, file) => [
		`${file}.yaml`,
		`apiVersion: sluice/v1\nkind: VirtualService\nmetadata: {mesh: apps, name: s${file}.local}\nspec: {provider: {virtualNode: {virtualNodeName: node${file}}}}\n`,
	])
	const outcome = readMesh(filesOf(Object.fromEntries(texts)))
	expect(outcome.kind === 'refused' && outcome.diagnostics.length).toBe(limits.diagnostics + 1)
})
