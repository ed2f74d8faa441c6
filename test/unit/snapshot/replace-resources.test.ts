import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type CompiledResource, typeUrls } from '#compile/compiled.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { replaceResources } from '#snapshot/replace-resources.ts'

function cluster(name: string, altStatName: string): CompiledResource {
	const references = { clusters: [], routes: [], endpoints: [], secrets: [] }
	const message = create(ClusterSchema, { name, altStatName })
	const build = () => ({ schema: ClusterSchema, message })
	return { typeUrl: typeUrls.cluster, name, key: altStatName, references, madeOf: [], build }
}

const [a, b, c] = ['a', 'b', 'c'].map((name) => cluster(name, 'first')) as [
	CompiledResource,
	CompiledResource,
	CompiledResource,
]
const { snapshot } = encodeSnapshot([a, b, c], null)

test('it is the snapshot that encoding all of them makes', () => {
	const next = replaceResources(snapshot, [cluster('b', 'second')])
	expect(next).toEqual(encodeSnapshot([a, cluster('b', 'second'), c], snapshot).snapshot)
	expect([...next.types[typeUrls.cluster].resources.keys()]).toEqual(['a', 'b', 'c'])
	expect(next.types[typeUrls.cluster].resources.get('a')).toBe(snapshot.types[typeUrls.cluster].resources.get('a'))
	expect(next.types[typeUrls.route]).toBe(snapshot.types[typeUrls.route])
})

test('what has the key that it had is not built again, and without another there is no other snapshot', () => {
	const build = () => expect.unreachable('it was built again')
	expect(replaceResources(snapshot, [{ ...cluster('b', 'first'), build }])).toBe(snapshot)
})

test('what was not there before replaces nothing', () => {
	expect(() => replaceResources(snapshot, [cluster('d', 'new')])).toThrow('what is replaced is there')
})
