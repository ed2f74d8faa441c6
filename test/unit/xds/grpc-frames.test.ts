import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMessageReader, frameOf } from '#xds/grpc-frames.ts'
import { count, seed } from '../../depth.ts'
import { bytesInUse } from '../../fixtures/cost.ts'

const maxBytes = 40

test('messages come out as they went in, in whatever pieces, and whatever other calls say meanwhile', () => {
	const messages = fc.array(fc.uint8Array({ maxLength: maxBytes }), { maxLength: 6 })
	fc.assert(
		fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, sizes) => {
			const [reader, other] = [createMessageReader(maxBytes), createMessageReader(maxBytes)]
			const wire = Buffer.concat(sent.map(frameOf))
			const received: Uint8Array[] = []
			for (let at = 0, n = 0; at < wire.length; n += 1) {
				const end = at + (sizes[n % sizes.length] ?? 1)
				for (const piece of [Buffer.of(0, 0, 0), Buffer.of(0, 1, 7)])
					other.read(piece, ([byte]) => expect(byte).toBe(7))
				expect(reader.read(wire.subarray(at, end), (message) => received.push(Uint8Array.from(message)))).toBeNull()
				expect(reader.isWithinMessage()).toBe(!isBoundary(sent, Math.min(end, wire.length)))
				at = end
			}
			expect(received.map((message) => [...message])).toEqual(sent.map((message) => [...message]))
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})

/** Whether a message ends here, or none has begun. */
function isBoundary(sent: readonly Uint8Array[], at: number): boolean {
	let end = 0
	for (const message of sent) if (end < at) end += frameOf(message).length
	return end === at
}

test('a message of any length is put together', () => {
	const reader = createMessageReader(1_000_000)
	const sent = [10, 100_000, 20].map((length) => new Uint8Array(length).fill(length % 251))
	const wire = Buffer.concat(sent.map(frameOf))
	const received: Uint8Array[] = []
	for (let at = 0; at < wire.length; at += 16_384) {
		reader.read(wire.subarray(at, at + 16_384), (message) => received.push(Uint8Array.from(message)))
	}
	expect(received).toEqual(sent)
})

test('a message that comes in a great many pieces takes little more than its bytes', async () => {
	const reader = createMessageReader(1_000_000)
	const wire = frameOf(new Uint8Array(300_000).fill(7))
	const before = await bytesInUse()
	for (let at = 0; at < wire.length - 1; at += 1)
		reader.read(Buffer.from(wire.subarray(at, at + 1)), () => expect.unreachable())
	expect((await bytesInUse()) - before).toBeLessThan(2_000_000)
	const received: Uint8Array[] = []
	reader.read(wire.subarray(-1), (message) => received.push(Uint8Array.from(message)))
	expect(received).toEqual([new Uint8Array(300_000).fill(7)])
})

test('what is larger than allowed is not waited for: its length is enough', () => {
	const reader = createMessageReader(maxBytes)
	const received: Uint8Array[] = []
	const head = frameOf(new Uint8Array(maxBytes + 1)).subarray(0, 5)
	const pieces = Buffer.concat([frameOf(Buffer.from('fits')), head])
	expect(reader.read(pieces, (message) => received.push(message))).toEqual({ kind: 'tooLarge', bytes: maxBytes + 1 })
	expect(received.map(String)).toEqual([String(Buffer.from('fits'))])
})

test('a message that says it is compressed is none', () => {
	const frame = frameOf(Buffer.from('text'))
	frame[0] = 1
	expect(createMessageReader(maxBytes).read(frame, () => expect.unreachable())).toEqual({ kind: 'compressed' })
})
