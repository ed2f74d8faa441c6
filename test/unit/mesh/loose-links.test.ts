import { expect, test } from 'vitest'
import { findLooseLinks } from '../../../src/mesh/loose-links.ts'
import { resourceId } from '../../../src/mesh/mesh.ts'
import { readOk, smallMesh } from './small-mesh.ts'

test('a mesh without loose links', () => {
	expect(findLooseLinks(readOk({ 'm.yaml': smallMesh }).mesh.resources)).toEqual([])
})

test('backends, idle policies and equal policies', () => {
	const policy = (name: string, match: string) =>
		`---\napiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: apps, name: ${name}}\nspec: {match: ${match}}\n`
	const caller =
		'---\napiVersion: sluice/v1\nkind: VirtualNode\nmetadata: {mesh: apps, name: a}\nspec: {backends: [{virtualService: {virtualServiceName: B.local}}]}\n'
	const text = [smallMesh, caller, policy('all', '{}'), policy('also', '{}'), policy('idle', '{route: x}')].join('')
	const found = findLooseLinks(readOk({ 'm.yaml': text }).mesh.resources)
	expect(found.map(({ code, resource, missing }) => [code, resource, missing])).toEqual([
		['SL0311', resourceId.rolloutPolicy('apps', 'also'), null],
		['SL0310', resourceId.rolloutPolicy('apps', 'idle'), null],
		['SL0306', resourceId.virtualNode('apps', 'a'), resourceId.virtualService('apps', 'B.local')],
	])
})
