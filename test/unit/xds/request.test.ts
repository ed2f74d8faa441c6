import { create } from '@bufbuild/protobuf'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { ExtensionSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { readNode, readRequest, type Variant } from '#xds/request.ts'
import { count, seed } from '../../depth.ts'
import { bytesInUse, leastCpuMs } from '../../fixtures/cost.ts'
import { defaultNode, encodeSaying, type Say } from '../../fixtures/xds-dialogue.ts'

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

	/** As many as a message may have. */
	const filledWith = (...field: readonly number[]) => repeated(field, limits.xdsMessageBytes / field.length)
	const nodeField = variant === 'delta' ? 1 : 2
	const statusField = variant === 'delta' ? 7 : 6

	test.for<[string, Uint8Array]>([
		['nodes', filledWith(nodeField * 8 + 2, 0)],
		['refusals', filledWith(statusField * 8 + 2, 0)],
		['words of a refusal', within(statusField, filledWith(0x12, 0))],
		['fields that nobody knows', filledWith(0x78, 0)],
		['fields in a group', Buffer.concat([Uint8Array.of(0x7b), filledWith(0x78, 0), Uint8Array.of(0x7c)])],
		['extensions of a node', within(nodeField, filledWith(0x4a, 0))],
		['metadata of a node', within(nodeField, within(3, filledWith(0x0a, 0)))],
		...(variant === 'delta'
			? ([['versions of one resource', filledWith(0x2a, 0)]] satisfies [string, Uint8Array][])
			: []),
	])('a message full of %s is refused, at little cost', ([, message]) => {
		expect(readRequest(variant, message)).toMatchObject({ ok: false })
		expect(leastCpuMs(() => readRequest(variant, message))).toBeLessThan(100)
	})

	test('a name, a type, a version or a nonce longer than any is refused', () => {
		const long = 'x'.repeat(limits.xdsWordChars + 1)
		const saying = (said: Partial<Say>, typeUrl?: string) => encodeSaying(variant, { type: 'route', ...said }, typeUrl)
		expect(readRequest(variant, saying({ names: ['a', long] }))).toMatchObject({ ok: false })
		expect(readRequest(variant, saying({ nonce: long }))).toMatchObject({ ok: false })
		if (variant === 'delta') expect(readRequest(variant, saying({ has: { [long]: '1' } }))).toMatchObject({ ok: false })
		expect(readRequest(variant, saying({}, long))).toMatchObject({ ok: false })
		// Delta has none.
		expect(readRequest(variant, saying({ version: long })).ok).toBe(variant === 'delta')
	})

	test('words of a refusal that are no text are kept as far as they are', () => {
		const read = readRequest(variant, within(statusField, within(2, Uint8Array.of(0x6e, 0x6f, 0xff))))
		expect(read).toMatchObject({ ok: true, value: { refusal: 'no\ufffd' } })
	})

	test('a short part of long words does not hold on to all of them', async () => {
		const long = encodeSaying(variant, { type: 'route', refusal: 'x'.repeat(4_000_000) })
		const before = await bytesInUse()
		const kept = Array.from({ length: 20 }, () => readRequest(variant, long))
		expect((await bytesInUse()) - before).toBeLessThan(4_000_000)
		expect(kept).toHaveLength(20)
	})
})

function repeated(bytes: readonly number[], count: number): Uint8Array {
	return Buffer.alloc(Math.floor(count) * bytes.length, Uint8Array.from(bytes))
}

/** A field that is a message. */
function within(field: number, message: Uint8Array): Uint8Array {
	const length = new BinaryWriter().uint32(message.length).finish()
	return Buffer.concat([Uint8Array.of(field * 8 + 2), length, message])
}

test('readNode gives a reason for bytes that are no node', () => {
	expect(readNode(Uint8Array.of(0x0a, 0xff, 0xff))).toMatchObject({ ok: false })
	const error = 'not a node: more than 65536 bytes of one node'
	expect(readNode(within(3, new Uint8Array(limits.xdsNodeBytes)))).toEqual({ ok: false, error })
})
