import { expect, test } from 'vitest'
import { resourceId } from '../../../../src/mesh/mesh.ts'
import { codesOf, readOk, smallMesh } from '../small-mesh.ts'

const policy = (spec: string) =>
	`${smallMesh}---\napiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: apps, name: p}\nspec: ${spec}\n`

const named = (name: string, query = 'up') =>
	`{kind: threshold, name: ${name}, source: {prometheus: {address: 'http://p', query: ${query}}}, max: 1}`

test.for<[string, string[]]>([
	['{}', []],
	['{steps: [{weight: 0.0001}, {weight: 100}]}', []],
	['{steps: []}', ['SL0208']],
	['{steps: [{weight: 0}]}', ['SL0260']],
	['{front: [{headers: [{name: x}]}], steps: [{weight: 0}]}', []],
	['{steps: [{weight: 5}, {weight: 5.00001}]}', ['SL0212']],
	['{guards: []}', ['SL0208']],
	['{guards: [{kind: errors}, {kind: errors}]}', ['SL0213']],
	[`{guards: [${named('a')}]}`, []],
	[`{guards: [{kind: errors}, ${named('a')}, ${named('b')}]}`, []],
	[`{guards: [${named('a')}, ${named('a')}]}`, ['SL0213']],
	[`{guards: [${['a', 'b', 'c', 'd', 'e'].map((name) => named(name)).join()}]}`, []],
	[`{guards: [${['a', 'b', 'c', 'd', 'e', 'f'].map((name) => named(name)).join()}]}`, ['SL0208']],
	[`{guards: [${['a', 'b', 'c'].map((name) => named(name, 'x'.repeat(900))).join()}]}`, ['SL0208']],
	['{deadline: 0m}', ['SL0208']],
	['{deadline: 5}', ['SL0206']],
	['{bake: 90}', ['SL0206']],
	['{bake: 1s1m}', ['SL0208']],
	['{bake: ""}', ['SL0208']],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf({ 'm.yaml': policy(spec) })).toEqual(codes)
})

test('percent are kept to one part per million', () => {
	const { mesh } = readOk({ 'm.yaml': policy('{steps: [{weight: 0.1}, {weight: 33.3333}, {weight: 99.9999}]}') })
	const resource = mesh.resources[resourceId.rolloutPolicy('apps', 'p')]
	const shares = resource?.kind === 'RolloutPolicy' ? resource.spec.steps.map(({ sharePpm }) => sharePpm) : []
	expect(shares).toEqual([1000, 333_333, 999_999])
})
