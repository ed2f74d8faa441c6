import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { ExtensionSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { readNode, readRequest, type Variant } from '#xds/request.ts'
import { count, seed } from '../../depth.ts'
import { defaultNode, encodeSaying } from '../../fixtures/xds-dialogue.ts'

const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

describe.for(variants)('%s', (variant) => {
	const full = encodeSaying(variant, {
		type: 'cluster',
		names: ['a', '', 'b'],
		remove: ['c'],
		has: { a: '1' },
		version: 'v',
		nonce: 'n',
		refusal: 'no\n',
		node: { ...defaultNode, cluster: 'dropped', extensions: [create(ExtensionSchema, { name: 'dropped' })] },
	})

	test('all fields are read, and of the node those that matter', () => {
		const read = readRequest(variant, full)
		expect(read).toMatchObject({ ok: true, value: { typeUrl: typeUrls.cluster, nonce: 'n', refusal: 'no' } })
		if (!read.ok) return
		expect(read.value.node).toMatchObject({ id: 'mesh/apps/virtualNode/serviceA', cluster: '', extensions: [] })
		if (read.value.variant === 'delta') {
			expect([read.value.subscribe, read.value.unsubscribe]).toEqual([['a', '', 'b'], ['c']])
			expect(read.value.initialVersions).toEqual(new Map([['a', '1']]))
		} else {
			expect([read.value.names, read.value.versionInfo]).toEqual([['a', '', 'b'], 'v'])
		}
	})

	test('no bytes are an empty request', () => {
		expect(readRequest(variant, new Uint8Array(0))).toMatchObject({ ok: true, value: { typeUrl: '', node: null } })
	})

	test('whatever the bytes, reading them gives a request or a reason', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				expect(typeof readRequest(variant, bytes).ok).toBe('boolean')
			}),
			{ numRuns: count(500, 50_000), seed: seed() },
		)
		const at = fc.nat(full.length - 1)
		fc.assert(
			fc.property(at, fc.integer({ min: 0, max: 255 }), (index, value) => {
				const broken = Uint8Array.from(full)
				broken[index] = value
				expect(typeof readRequest(variant, broken).ok).toBe('boolean')
			}),
			{ numRuns: count(500, 50_000), seed: seed() },
		)
	})

	test('too many names are refused, long refusals shortened', () => {
		const names = Array.from({ length: limits.xdsNames + 1 }, () => 'n')
		expect(readRequest(variant, encodeSaying(variant, { type: 'route', names }))).toMatchObject({ ok: false })
		const read = readRequest(variant, encodeSaying(variant, { type: 'route', refusal: 'x'.repeat(10_000) }))
		expect(read.ok && read.value.refusal?.length).toBe(limits.xdsRefusalChars)
	})
})

test('readNode gives a reason for bytes that are no node', () => {
	expect(readNode(Uint8Array.of(0x0a, 0xff, 0xff))).toMatchObject({ ok: false })
})
