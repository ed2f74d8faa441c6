import { expect, test } from 'vitest'
import { checkVirtualServiceName, virtualServiceName } from '../../../src/mesh/virtual-service-name.ts'
import { codesOf, smallMesh } from './small-mesh.ts'

const arn = (mesh: string, name: string) => `arn:aws:appmesh:eu-west-1:111122223333:mesh/${mesh}/virtualService/${name}`

test.for<[string, string]>([
	['b.local', 'b.local'],
	[arn('apps', 'b.local'), 'b.local'],
	[arn('apps@444455556666', 'b.local'), 'b.local'],
])('%s is named %s', ([written, name]) => {
	expect(virtualServiceName(written)).toBe(name)
})

test.for<[string, number]>([
	['b.local', 0],
	[arn('apps', 'b.local'), 0],
	[arn('apps@444455556666', 'b.local'), 0],
	[arn('other', 'b.local'), 1],
])('%s in the mesh apps has %i findings', ([written, count]) => {
	expect(checkVirtualServiceName([], written, 'apps')).toHaveLength(count)
})

test.for<[string, string[]]>([
	[arn('apps', 'b.local'), []],
	[arn('apps', 'nowhere.local'), ['SL0306']],
	[arn('other', 'b.local'), ['SL0218']],
	[arn('apps', 'b..local'), ['SL0208']],
	[arn('apps', 'a'.repeat(254)), ['SL0208']],
	['arn:aws:appmesh:eu-west-1:111122223333:mesh/apps/virtualNode/b', ['SL0208']],
])('a backend %s finds %j', ([written, codes]) => {
	const spec = `{backends: [{virtualService: {virtualServiceName: '${written}'}}]}`
	const node = `apiVersion: sluice/v1\nkind: VirtualNode\nmetadata: {mesh: apps, name: n}\nspec: ${spec}\n`
	expect(codesOf({ 'm.yaml': `${smallMesh}---\n${node}` })).toEqual(codes)
})
