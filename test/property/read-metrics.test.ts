import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMetricsReader } from '#telemetry/read-metrics.ts'
import { count, seed } from '../depth.ts'
import { arbitraryMetricsBytes } from '../fixtures/arbitrary-metrics-bytes.ts'
import { bytesMade } from '../fixtures/cost.ts'
import { decodeMetrics } from '../fixtures/decode-metrics.ts'
import { clustersIn } from '../fixtures/readings.ts'

/** What real Envoys pushed, by version: three flushes of one, in turn. */
const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(
	readFileSync(join(import.meta.dirname, '../fixtures/recorded-flushes.json'), 'utf8'),
)
const flushes = Object.values(recorded)
	.flat()
	.map((text) => Uint8Array.from(Buffer.from(text, 'base64')))
const readMetrics = createMetricsReader({ wantsTimes: () => true })

function expectAsDecoded(bytes: Uint8Array): 'read' | 'refused' {
	const scanned = readMetrics(bytes)
	const decoded = decodeMetrics(bytes)
	if (!decoded.ok) {
		expect(scanned.ok).toBe(false)
		return 'refused'
	}
	if (!scanned.ok) expect.unreachable(scanned.error)
	const { readings, ...others } = scanned.value
	expect({ ...others, clusters: clustersIn(readings) }).toEqual(decoded.value)
	return 'read'
}

// First: what comes in the tests below would have it run as code for all that may come.
test('a scanned message makes a fraction of the objects that a decoded one makes', () => {
	const each = (read: (bytes: Uint8Array) => unknown) => () => {
		for (const flush of flushes) read(flush)
	}
	const scan = each((bytes) => readMetrics(bytes))
	const decode = each(decodeMetrics)
	// Until both are compiled.
	for (let round = 0; round < 200; round += 1) {
		scan()
		decode()
	}
	expect(bytesMade(scan) / bytesMade(decode)).toBeLessThan(1 / 30)
})

describe('a scanned message says what a decoded one says', () => {
	test.for(Object.entries(recorded))('of Envoy %s', ([, texts]) => {
		for (const text of texts) expect(expectAsDecoded(Buffer.from(text, 'base64'))).toBe('read')
	})

	test('when it is hardly one', () => {
		const outcomes = { read: 0, refused: 0 }
		fc.assert(
			fc.property(arbitraryMetricsBytes, (bytes) => {
				outcomes[expectAsDecoded(bytes)] += 1
			}),
			{ numRuns: count(2_000, 300_000), seed: seed() },
		)
		// Either is worth nothing without the other.
		expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(count(2_000, 300_000) / 10)
	})

	test('when bytes of a real one are changed, cut off or doubled', () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...flushes),
				fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
				fc.tuple(fc.nat(), fc.nat(40)),
				(flush, changes, [from, length]) => {
					const changed = Uint8Array.from(flush)
					for (const [at, value] of changes) changed[at % changed.length] = value
					expectAsDecoded(changed)
					const start = from % changed.length
					expectAsDecoded(changed.subarray(0, start))
					expectAsDecoded(Uint8Array.of(...changed.subarray(0, start + length), ...changed.subarray(start)))
				},
			),
			{ numRuns: count(150, 30_000), seed: seed() },
		)
	})
})
