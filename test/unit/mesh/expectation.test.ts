import { expect, test } from 'vitest'
import { resourceId } from '../../../src/mesh/mesh.ts'
import { codesOf, readOk, smallMesh } from './small-mesh.ts'

const expectation = (spec: string, name = 'x') =>
	`---\napiVersion: sluice/v1\nkind: Expectation\nmetadata: {mesh: apps, name: ${name}}\nspec: ${spec}\n`

test('an expectation is read, has places, and is no part of the mesh', () => {
	const spec =
		"{from: {virtualNode: b}, request: {url: 'http://b.local/a', headers: {X-B: '2', X-A: '1'}}, expect: {route: b, virtualNodes: [b, b]}}"
	const plain = readOk({ 'm.yaml': smallMesh })
	const { mesh, expectations, origins } = readOk({ 'm.yaml': smallMesh, 'x.yaml': expectation(spec) })
	expect(mesh).toEqual(plain.mesh)
	expect(expectations).toEqual([
		{
			id: 'mesh/apps/expectation/x',
			mesh: 'apps',
			name: 'x',
			from: { kind: 'virtualNode', name: 'b' },
			request: {
				method: 'GET',
				url: 'http://b.local/a',
				headers: [
					{ name: 'x-a', value: '1' },
					{ name: 'x-b', value: '2' },
				],
			},
			expected: { route: 'b', gatewayRoute: null, virtualService: null, virtualNodes: ['b'], noRoute: false },
		},
	])
	expect(Object.isFrozen(expectations[0]?.expected.virtualNodes)).toBe(true)
	expect(origins[resourceId.expectation('apps', 'x')]?.['/spec/expect/route']).toMatchObject({
		file: 'x.yaml',
		line: 5,
	})
})

test('expectations come sorted by id', () => {
	const spec = "{from: {virtualNode: b}, request: {url: 'http://b.local'}, expect: {noRoute: true}}"
	const text = [smallMesh, expectation(spec, 'z'), expectation(spec, 'a')].join('')
	expect(readOk({ 'm.yaml': text }).expectations.map(({ name }) => name)).toEqual(['a', 'z'])
})

test.for<[string, string[]]>([
	["{from: {virtualNode: b}, request: {url: 'http://b.local'}, expect: {}}", ['SL0209']],
	["{from: {virtualNode: b}, request: {url: 'http://b.local'}, expect: {noRoute: true, route: b}}", ['SL0245']],
	["{from: {virtualNode: b}, request: {url: 'ftp://b.local'}, expect: {noRoute: true}}", ['SL0208']],
	["{from: {virtualNode: b}, request: {url: 'http://u@b.local/'}, expect: {noRoute: true}}", ['SL0208']],
	["{from: {virtualNode: b}, request: {url: 'http://b.local:99999/'}, expect: {noRoute: true}}", ['SL0208']],
	["{from: {virtualNode: c}, request: {url: 'http://b.local'}, expect: {virtualNodes: [d]}}", ['SL0301', 'SL0301']],
	["{from: {virtualGateway: b}, request: {url: 'http://b.local'}, expect: {gatewayRoute: b}}", ['SL0301', 'SL0301']],
])('%s finds %j', ([spec, codes]) => {
	expect(codesOf({ 'm.yaml': smallMesh, 'x.yaml': expectation(spec) })).toEqual(codes)
})

test('what could not be read is not said to be missing', () => {
	const spec =
		"{from: {virtualNode: unread}, request: {url: 'http://b.local'}, expect: {route: broken, virtualNodes: [no]}}"
	const route = smallMesh.split('---\n')[3] ?? ''
	const files = {
		'm.yaml': smallMesh,
		'x.yaml': expectation(spec),
		'broken.yaml': route.replace('name: b}', 'name: broken}').replace('http2Route', 'http3Route'),
		'unread.yaml': 'name: [unread',
	}
	expect(codesOf(files)).toEqual(['SL0204', 'SL0102', 'SL0301'])
})
