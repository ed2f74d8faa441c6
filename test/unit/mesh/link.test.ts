import { expect, test } from 'vitest'
import { composeMesh } from '../../../src/mesh/compose-mesh.ts'
import { findBrokenLinks } from '../../../src/mesh/link.ts'
import { type Resource, type ResourceId, resourceId } from '../../../src/mesh/mesh.ts'
import { readOk, smallMesh } from './small-mesh.ts'

const applied = readOk({ 'm.yaml': smallMesh }).mesh.resources
const node = resourceId.virtualNode('apps', 'b')
const router = resourceId.virtualRouter('apps', 'b')
const route = resourceId.route('apps', 'b', 'b')

function without(...ids: ResourceId[]): Record<ResourceId, Resource> {
	return Object.fromEntries(Object.entries(applied).filter(([id]) => !ids.includes(id as ResourceId)))
}

test('a whole mesh links', () => {
	expect(findBrokenLinks(applied)).toEqual([])
	expect(findBrokenLinks({})).toEqual([])
})

test.for<[string, ResourceId[], (string | null)[][]]>([
	['a target', [node], [[route, 'target', node]]],
	[
		'a router',
		[router],
		[
			[route, 'virtualRouter', router],
			[resourceId.virtualService('apps', 'b.local'), 'provider', router],
		],
	],
	['a route', [route], []],
	['the mesh, said once', [resourceId.mesh('apps')], [[node, 'mesh', resourceId.mesh('apps')]]],
])('without %s', ([, gone, broken]) => {
	const found = findBrokenLinks(without(...gone)).map((link) => [link.resource, link.place.kind, link.missing])
	expect(found).toEqual(broken)
})

test('a mix of two revisions: the applied route, and the desired node on another port', () => {
	const moved = smallMesh.replace(
		'port: 80, protocol: http2}}]\n  serviceD',
		'port: 81, protocol: http2}}]\n  serviceD',
	)
	const desired = readOk({ 'm.yaml': moved }).mesh.resources
	const mix = { ...applied, [node]: desired[node] as Resource }
	expect(findBrokenLinks(mix).map(({ code, resource, place }) => [code, resource, place.kind])).toEqual([
		['SL0303', route, 'targetPort'],
	])
	expect(findBrokenLinks(desired)).toEqual([])
})

test('a mix of two revisions: a listener that changes its protocol under the applied route', () => {
	const http = readOk({ 'm.yaml': smallMesh.replaceAll('http2', 'http') }).mesh.resources
	expect(findBrokenLinks({ ...applied, [router]: http[router] as Resource })).toEqual([])
	const tcpMesh = smallMesh
		.replace('http2Route:\n    match: {prefix: /}', 'tcpRoute:')
		.replaceAll('protocol: http2', 'protocol: tcp')
	const tcp = readOk({ 'm.yaml': tcpMesh }).mesh.resources
	const codes = (mix: ResourceId) =>
		findBrokenLinks({ ...applied, [mix]: tcp[mix] as Resource }).map(({ code, resource }) => [code, resource])
	expect(codes(router)).toEqual([['SL0313', route]])
	expect(codes(route)).toEqual([['SL0313', route]])
	expect(codes(node)).toEqual([])
})

test('services of two meshes may have the same name', () => {
	const both = { ...applied, ...readOk({ 'm.yaml': smallMesh.replaceAll('apps', 'shop') }).mesh.resources }
	expect(findBrokenLinks(both)).toEqual([])
})

test('the order of resources does not change what is found', () => {
	const reversed = Object.fromEntries(Object.entries(without(node, router)).reverse())
	expect(findBrokenLinks(reversed)).toEqual(findBrokenLinks(without(node, router)))
	expect(composeMesh(reversed)).toEqual(composeMesh(without(node, router)))
})
