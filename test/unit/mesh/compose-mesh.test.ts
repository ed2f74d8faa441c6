import { expect, test } from 'vitest'
import { composeMesh } from '../../../src/mesh/compose-mesh.ts'
import { readOk, smallMesh } from './small-mesh.ts'

const { mesh } = readOk({ 'm.yaml': smallMesh })

test('resources come out by id, frozen, and with the hash that reading gave', () => {
	const composed = composeMesh(Object.fromEntries(Object.entries(mesh.resources).reverse()))
	expect(Object.keys(composed.resources)).toEqual(Object.keys(mesh.resources).sort())
	expect(composed).toEqual(mesh)
	expect(Object.isFrozen(composed)).toBe(true)
})

test('one resource less is another mesh', () => {
	const [, ...rest] = Object.entries(mesh.resources)
	expect(composeMesh(Object.fromEntries(rest)).hash).not.toBe(mesh.hash)
	expect(composeMesh({}).resources).toEqual({})
})
