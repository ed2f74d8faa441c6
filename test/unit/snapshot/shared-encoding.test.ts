import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type CompiledResource, typeUrls } from '#compile/compiled.ts'
import { resourceId } from '#mesh/mesh.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { createSharedEncoding } from '#snapshot/shared-encoding.ts'

const references = { clusters: [], routes: [], endpoints: [], secrets: [] }

function cluster(name: string, key: string, madeOf: CompiledResource['madeOf'] = []): CompiledResource {
	const build = () => ({ schema: ClusterSchema, message: create(ClusterSchema, { name, altStatName: key }) })
	return { typeUrl: typeUrls.cluster, name, key, references, madeOf, build }
}

const [x, y] = [resourceId.virtualNode('apps', 'x'), resourceId.virtualNode('apps', 'y')]

const unbuildable = (resource: CompiledResource): CompiledResource => ({
	...resource,
	build: () => expect.unreachable(),
})

test('what is compiled alike for two groups is built once, and each says what it made it of', () => {
	const encode = createSharedEncoding()
	const first = encode(cluster('a', '1', [x]))
	const second = encode(unbuildable(cluster('a', '1', [y])))
	expect(second).toEqual({ ...first, madeOf: [y] })
	expect(second.bytes).toBe(first.bytes)
})

test('another key is other bytes, and another name too', () => {
	const encode = createSharedEncoding()
	const first = encode(cluster('a', '1'))
	expect(encode(cluster('b', '1')).bytes).not.toEqual(first.bytes)
	const changed = encode(cluster('a', '2'))
	expect(changed.version).not.toBe(first.version)
	// The newest is known, and what was before is built again.
	expect(encode(unbuildable(cluster('a', '2')))).toEqual(changed)
	expect(encode(cluster('a', '1'))).toEqual(first)
})
