import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { parseYaml } from '../../../src/mesh/parse-yaml.ts'
import { offsetAt } from '../../../src/mesh/yaml-node.ts'

const valuesOf = (text: string) => parseYaml(text).documents.map(({ value }) => JSON.parse(JSON.stringify(value)))
const faultsOf = (text: string) => parseYaml(text).faults.map(({ code, offset }) => [code, offset])

test.for<[string, unknown[]]>([
	[
		'a: [1, 0x10, 1.5, -3, true, null, ~, "2", \'x\', no, 010, 2026-01-02]',
		[{ a: [1, 16, 1.5, -3, true, null, null, '2', 'x', 'no', 10, '2026-01-02'] }],
	],
	['a: |\n  one\n  two\nb: >\n  one\n  two\n', [{ a: 'one\ntwo\n', b: 'one two\n' }]],
	['a: 1\n---\n# nothing\n---\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]],
	['a: &x {b: 1}\nc: *x\nd: [*x, *x]', [{ a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }, { b: 1 }] }]],
	['"\\u0061": "\\n"', [{ a: '\n' }]],
	// More than a double can hold is no number for the parser.
	['a: 1e999', [{ a: '1e999' }]],
	['a:\nb:', [{ a: null, b: null }]],
	['1: a\ntrue: b', [{ '1': 'a', true: 'b' }]],
	['{"a": [1, {"b": null}]}', [{ a: [1, { b: null }] }]],
	['', []],
	['# only a comment', []],
])('reads %j', ([text, values]) => {
	expect(valuesOf(text)).toEqual(values)
	expect(faultsOf(text)).toEqual([])
})

test.for<[string, string, number]>([
	['a: 1\na: 2', 'SL0103', 5],
	['{a: 1, "a": 2}', 'SL0103', 7],
	['a: {<<: {}}', 'SL0104', 4],
	['a: !!str 1', 'SL0105', 3],
	['a: !x [1]', 'SL0105', 3],
	['!x a: 1', 'SL0105', 0],
	['a: .nan', 'SL0106', 3],
	['a: -.inf', 'SL0106', 3],
	['a: 9007199254740993', 'SL0106', 3],
	['[a]: 1', 'SL0108', 0],
	['? {a: 1}\n: 1', 'SL0108', 2],
	['&k a: 1\n*k : 2', 'SL0108', 8],
	['a: *b', 'SL0102', 3],
	['a: &a [*a]', 'SL0102', 7],
	['a: &a 1\n---\nb: *a', 'SL0102', 15],
	['a: [', 'SL0102', 4],
	['a: "\\q"', 'SL0102', 5],
])('refuses %j with %s', ([text, code, offset]) => {
	expect(faultsOf(text)).toEqual([[code, offset]])
	expect(parseYaml(text).documents).toEqual([])
})

test('keys that JavaScript objects have by themselves are keys like any other', () => {
	const [document] = parseYaml('__proto__: {polluted: 1}\nconstructor: 2\ntoString: 3').documents
	expect(Object.keys(document?.value as object)).toEqual(['__proto__', 'constructor', 'toString'])
	expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

test('every key and value knows its place', () => {
	const text = 'a:\n  - b: 1\n  - {c: "x"}\nd: *y\n'.replace('*y', '|\n  z')
	const [document] = parseYaml(text).documents
	const at = (path: (string | number)[], what: 'key' | 'value') => document && offsetAt(document, path, what)
	expect(at(['a'], 'value')).toBe(0)
	expect(at(['a', 0, 'b'], 'key')).toBe(text.indexOf('b:'))
	expect(at(['a', 0, 'b'], 'value')).toBe(text.indexOf('1'))
	expect(at(['a', 1, 'c'], 'value')).toBe(text.indexOf('"x"'))
	expect(at(['a', 1, 'missing'], 'value')).toBe(text.indexOf('{c'))
	expect(at(['d'], 'key')).toBe(text.indexOf('d:'))
})

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

test('nesting is bounded, through aliases too', () => {
	expect(faultsOf(nested(limits.yamlDepth))).toEqual([])
	expect(faultsOf(nested(limits.yamlDepth + 1)).map(([code]) => code)).toEqual(['SL0107'])
	const half = limits.yamlDepth / 2
	const folded = (outer: number) => `a: &a ${nested(half)}\nb: ${'['.repeat(outer)}*a${']'.repeat(outer)}`
	expect(faultsOf(folded(half - 1))).toEqual([])
	expect(faultsOf(folded(half)).map(([code]) => code)).toEqual(['SL0107'])
})

test('aliases are bounded by number and by what they stand for', () => {
	const uses = (count: number) => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]`
	expect(faultsOf(uses(limits.yamlAliases))).toEqual([])
	expect(faultsOf(uses(limits.yamlAliases + 1)).map(([code]) => code)).toEqual(['SL0107'])
	const lines = ['l0: &l0 [x, x, x, x, x, x, x, x]']
	for (let level = 1; level <= 8; level++)
		lines.push(
			`l${level}: &l${level} [${Array(6)
				.fill(`*l${level - 1}`)
				.join(', ')}]`,
		)
	expect(faultsOf(lines.join('\n')).map(([code]) => code)).toEqual(['SL0107'])
})

test('a key has a longest length', () => {
	expect(faultsOf(`${'k'.repeat(limits.yamlKeyChars)}: 1`)).toEqual([])
	expect(faultsOf(`${'k'.repeat(limits.yamlKeyChars + 1)}: 1`)).toEqual([['SL0107', 0]])
})
