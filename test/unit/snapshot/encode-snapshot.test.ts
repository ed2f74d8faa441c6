import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { type CompiledResource, typeUrls } from '#compile/compiled.ts'
import { type Cluster, ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'

function cluster(name: string, key: string, altStatName = ''): CompiledResource {
	const message: Cluster = create(ClusterSchema, { name, altStatName })
	const references = { clusters: [], routes: [], endpoints: [], secrets: [] }
	return {
		typeUrl: typeUrls.cluster,
		name,
		key,
		references,
		madeOf: [],
		build: () => ({ schema: ClusterSchema, message }),
	}
}

/** A resource that must not be built again. */
function unbuildable(name: string, key: string): CompiledResource {
	return {
		...cluster(name, key),
		build() {
			throw new Error(`${name} was built again`)
		},
	}
}

describe('the first snapshot', () => {
	const { snapshot, encoded } = encodeSnapshot([cluster('b', '1'), cluster('a', '1')], null)

	test('has every resource, sorted by name, and every type', () => {
		expect(encoded).toBe(2)
		expect([...snapshot.types[typeUrls.cluster].resources.keys()]).toEqual(['a', 'b'])
		expect(Object.keys(snapshot.types).sort()).toEqual(Object.values(typeUrls).sort())
		expect(snapshot.types[typeUrls.secret].resources.size).toBe(0)
	})

	test('a version is the hash of the bytes, and the bytes are the resource', () => {
		const a = snapshot.types[typeUrls.cluster].resources.get('a')
		expect(Buffer.from(a?.bytes ?? []).toString('latin1')).toBe('\x0a\x01a')
		expect(a?.version).toBe(sha256Hex(new Uint8Array([0x0a, 1, 0x61])).slice(0, 16))
	})
})

describe('the next one', () => {
	const first = encodeSnapshot([cluster('a', '1'), cluster('b', '1')], null).snapshot

	test('builds only what has a new key', () => {
		const { snapshot, encoded } = encodeSnapshot([unbuildable('a', '1'), cluster('b', '2', 'other')], first)
		expect(encoded).toBe(1)
		const [before, after] = [first, snapshot].map((each) => each.types[typeUrls.cluster].resources)
		expect(after?.get('a')).toBe(before?.get('a'))
		expect(after?.get('b')?.version).not.toBe(before?.get('b')?.version)
		expect(snapshot.version).not.toBe(first.version)
		expect(snapshot.types[typeUrls.route]).toBe(first.types[typeUrls.route])
	})

	test('with a new key and the same bytes is the same version', () => {
		const { snapshot, encoded } = encodeSnapshot([cluster('a', '2'), cluster('b', '1')], first)
		expect(encoded).toBe(1)
		expect(snapshot.version).toBe(first.version)
		expect(snapshot.types[typeUrls.cluster].resources.get('a')?.key).toBe('2')
	})

	test('without a resource is another version', () => {
		const { snapshot } = encodeSnapshot([unbuildable('a', '1')], first)
		expect([...snapshot.types[typeUrls.cluster].resources.keys()]).toEqual(['a'])
		expect(snapshot.version).not.toBe(first.version)
	})

	test('does not take a resource over from another type', () => {
		const moved: CompiledResource = { ...cluster('a', '1'), typeUrl: typeUrls.endpoint }
		expect(encodeSnapshot([moved], first).encoded).toBe(1)
	})
})

test('versions do not depend on what was served before', () => {
	const resources = [cluster('a', '1'), cluster('b', '1')]
	const first = encodeSnapshot(resources, null).snapshot
	const other = encodeSnapshot([cluster('a', '9', 'x')], null).snapshot
	expect(encodeSnapshot(resources, other).snapshot.version).toBe(first.version)
})

test('a name that is compiled twice is a mistake of the compiler', () => {
	expect(() => encodeSnapshot([cluster('a', '1'), cluster('a', '2')], null)).toThrow('each name')
})
