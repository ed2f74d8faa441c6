import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { isSameNames, keptNames, readAck } from '#xds/ack.ts'
import { readRequest, type Variant } from '#xds/request.ts'
import type { Subscription } from '#xds/subscription.ts'
import { count, seed } from '../../depth.ts'
import { defaultNode, encodeSaying, type Say } from '../../fixtures/xds-dialogue.ts'

const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

/** Both ways to read a request say the same, as far as the one that reads less says anything. */
function expectAgreement(variant: Variant, bytes: Uint8Array): 'an ACK' | 'another' {
	const ack = readAck(variant, bytes)
	if (ack === null) return 'another'
	const read = readRequest(variant, bytes)
	expect(read).toMatchObject({ ok: true, value: { typeUrl: ack.typeUrl, nonce: ack.nonce, node: null, refusal: null } })
	if (!read.ok) return 'another'
	if (read.value.variant === 'delta') {
		const { subscribe, unsubscribe, initialVersions } = read.value
		expect([subscribe.length, unsubscribe.length, initialVersions.size, ack.names.length]).toEqual([0, 0, 0, 0])
	} else {
		expect(readRequest(variant, ack.names)).toMatchObject({ ok: true, value: { names: read.value.names } })
	}
	return 'an ACK'
}

describe.for(variants)('%s', (variant) => {
	test('an ACK is read, and anything that says more is not', () => {
		const kindOf = (say: Partial<Say>) =>
			expectAgreement(variant, encodeSaying(variant, { type: 'route', nonce: 'r-1', ...say }))
		expect(kindOf({})).toBe('an ACK')
		expect(kindOf({ refusal: 'no' })).toBe('another')
		expect(kindOf({ node: defaultNode })).toBe('another')
		expect(kindOf({ names: ['a', 'b'], version: '7' })).toBe(variant === 'delta' ? 'another' : 'an ACK')
	})

	test('whatever the bytes, it agrees with reading all of them', () => {
		const names = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 })
		const ascii = fc.string({ unit: 'binary-ascii', maxLength: 5 })
		const says = fc.record({ names, nonce: ascii, version: ascii }, { requiredKeys: [] })
		let acks = 0
		fc.assert(
			fc.property(says, fc.nat(), fc.integer({ min: -1, max: 255 }), (say, place, value) => {
				const bytes = Uint8Array.from(encodeSaying(variant, { type: 'route', ...say }))
				// Mostly with one byte that is another.
				if (value >= 0) bytes[place % bytes.length] = value & 0x7f
				if (expectAgreement(variant, bytes) === 'an ACK') acks += 1
			}),
			{ numRuns: count(1_000, 100_000), seed: seed() },
		)
		expect(acks).toBeGreaterThan(0)
	})

	test('bytes that are cut off or no message are no ACK', () => {
		const bytes = encodeSaying(variant, { type: 'route', nonce: 'n' })
		for (let length = 1; length < bytes.length; length += 1) expectAgreement(variant, bytes.subarray(0, length))
		const endless = new Uint8Array(20).fill(0xff)
		endless[0] = 0x2a
		expect(readAck(variant, endless)).toBeNull()
	})
})

describe('names that are kept', () => {
	const written = (...names: string[]) =>
		readAck('stateOfTheWorld', encodeSaying('stateOfTheWorld', { type: 'route', names }))?.names ?? new Uint8Array()
	const subscription = (): Subscription => ({ wildcard: 'none', names: new Set() })

	test('are one copy for all who write them alike', () => {
		const shared = subscription()
		const first = keptNames(shared, written('a', 'b'))
		expect(keptNames(shared, written('a', 'b'))).toBe(first)
		expect(isSameNames(first ?? new Uint8Array(), written('a', 'b'))).toBe(true)
		expect(isSameNames(first ?? new Uint8Array(), written('b', 'a'))).toBe(false)
	})

	test('are not kept of each stream where they are long', () => {
		const shared = subscription()
		const long = ['x'.repeat(limits.xdsNamesKeptBytes)]
		expect(keptNames(shared, written('a', ...long))).not.toBeNull()
		expect(keptNames(shared, written(...long, 'a'))).toBeNull()
		expect(keptNames(shared, written('b'))).toEqual(written('b'))
	})

	test('are names and nothing else: the type stays out', () => {
		expect(Buffer.from(written('a')).toString()).not.toContain(typeUrls.route)
	})
})
