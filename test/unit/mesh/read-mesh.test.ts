import { expect, test } from 'vitest'
import { resourceId } from '../../../src/mesh/mesh.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'
import { filesOf, readOk, smallMesh } from './small-mesh.ts'

test('the mesh is frozen all the way down', () => {
	const { mesh } = readOk({ 'mesh.yaml': smallMesh })
	const route = mesh.resources[resourceId.route('apps', 'b', 'b')]
	expect(Object.isFrozen(mesh.resources)).toBe(true)
	expect(route?.kind === 'Route' && Object.isFrozen(route.spec.targets[0])).toBe(true)
})

test('moving, splitting and commenting YAML changes origins and not the mesh', () => {
	const [first = '', ...rest] = smallMesh.split('---\n')
	const before = readOk({ 'mesh.yaml': smallMesh })
	const after = readOk({ 'z/first.yaml': `# moved\n\n${first}`, 'a.yaml': rest.join('---\n') })
	expect(after.mesh).toEqual(before.mesh)
	expect(before.origins[resourceId.mesh('apps')]?.['/kind']).toEqual({ file: 'mesh.yaml', line: 2, column: 7 })
	expect(after.origins[resourceId.mesh('apps')]?.['/kind']).toEqual({ file: 'z/first.yaml', line: 4, column: 7 })
})

test('origins point at the key of a mapping and at a plain value', () => {
	const { origins } = readOk({ 'mesh.yaml': smallMesh })
	const lines = smallMesh.split('\n')
	const places = origins[resourceId.route('apps', 'b', 'b')]
	const weight = places?.['/spec/http2Route/action/weightedTargets/0/weight']
	expect(lines[(weight?.line ?? 0) - 1]?.slice((weight?.column ?? 0) - 1)).toBe('100}]')
	const action = places?.['/spec/http2Route/action']
	expect(lines[(action?.line ?? 0) - 1]?.trim()).toBe('action:')
})

test('tags do not count for a hash, anything in a spec does', () => {
	const plain = readOk({ 'm.yaml': smallMesh }).mesh
	const tagged = readOk({ 'm.yaml': smallMesh.replace('{name: apps}', '{name: apps, tags: {a: b}}') }).mesh
	const other = readOk({ 'm.yaml': smallMesh.replace('prefix: /', 'prefix: /cart') }).mesh
	expect(tagged.hash).toBe(plain.hash)
	expect(other.hash).not.toBe(plain.hash)
})

test('the only listener of a target is its port', () => {
	const { mesh } = readOk({ 'm.yaml': smallMesh.replaceAll('port: 80,', 'port: 8080,') })
	const route = mesh.resources[resourceId.route('apps', 'b', 'b')]
	expect(route?.kind === 'Route' ? route.spec.targets.map((target) => target.port) : null).toEqual([8080])
})

test('all errors of all files come at once, sorted by place', () => {
	const outcome = readMesh(
		filesOf({
			'b.yaml': 'apiVersion: sluice/v1\nkind: Mes\n---\napiVersion: sluice/v1\nkind: Mesh\nmetadata: {nam: x}\n',
			'a.yaml': 'a: [',
			'c.yaml': smallMesh.replace('virtualNode: b, weight', 'virtualNode: bb, weight'),
		}),
	)
	const places = outcome.kind === 'refused' ? outcome.diagnostics.map(({ file, line, code }) => [file, line, code]) : []
	expect(places).toEqual([
		['a.yaml', 1, 'SL0102'],
		['b.yaml', 2, 'SL0202'],
		['b.yaml', 6, 'SL0204'],
		['c.yaml', 24, 'SL0301'],
	])
})

test('warnings do not refuse a mesh', () => {
	const { warnings } = readOk({ 'm.yaml': smallMesh.replace('weight: 100', 'weight: 1000') })
	expect(warnings.map((warning) => [warning.code, warning.severity])).toEqual([['SL0215', 'warning']])
})

test('one revision may hold several meshes', () => {
	const { mesh } = readOk({ 'a.yaml': smallMesh, 'b.yaml': smallMesh.replaceAll('apps', 'shop') })
	expect(
		Object.values(mesh.resources)
			.filter((resource) => resource.kind === 'Mesh')
			.map(({ name }) => name),
	).toEqual(['apps', 'shop'])
})

test('no files at all are refused', () => {
	const outcome = readMesh(new Map())
	expect(outcome.kind === 'refused' && outcome.diagnostics.map(({ code }) => code)).toEqual(['SL0003'])
})
