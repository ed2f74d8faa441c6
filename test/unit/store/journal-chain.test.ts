import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { chainJournal, emptyJournal, verifyJournal } from '#store/journal-chain.ts'
import type { JournalEntry } from '#store/store.ts'
import { count, seed } from '../../depth.ts'

function entry(event: string): JournalEntry {
	return { wallMs: 1, event, rollout: null, actor: 'sluice', reason: 'because', numbers: {} }
}

const records = chainJournal(emptyJournal, ['a', 'b', 'c', 'd'].map(entry))

test('a hash covers the one before it and the canonical entry', () => {
	const text = '{"actor":"sluice","event":"b","numbers":{},"reason":"because","rollout":null,"wallMs":1}'
	expect(records[1]?.hash).toBe(sha256Hex(`${records[0]?.hash}\n${text}`))
})

test('an untouched chain holds, whole and page by page', () => {
	const whole = verifyJournal(records)
	expect(whole).toEqual({ ok: true, value: { sequence: 4, hash: records[3]?.hash } })
	const firstPage = verifyJournal(records.slice(0, 2))
	expect(firstPage.ok && verifyJournal(records.slice(2), firstPage.value)).toEqual(whole)
	expect(verifyJournal([])).toEqual({ ok: true, value: emptyJournal })
})

test('a changed, missing, moved or doubled record shows, at its place', () => {
	const changed = records.map((record) => (record.sequence === 2 ? { ...record, entry: entry('B') } : record))
	expect(verifyJournal(changed)).toMatchObject({ ok: false, error: { sequence: 2 } })
	const missing = records.filter((record) => record.sequence !== 3)
	expect(verifyJournal(missing)).toMatchObject({ ok: false, error: { sequence: 3 } })
	const renumbered = missing.map((record, index) => ({ ...record, sequence: index + 1 }))
	expect(verifyJournal(renumbered)).toMatchObject({ ok: false, error: { sequence: 3 } })
	expect(verifyJournal(records.slice(1))).toMatchObject({ ok: false, error: { sequence: 1 } })
	expect(verifyJournal([...records, ...records])).toMatchObject({ ok: false, error: { sequence: 5 } })
})

test('an entry that went through JSON keeps its hash', () => {
	const numbers = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
	fc.assert(
		fc.property(numbers, fc.string({ unit: 'binary' }), (values, reason) => {
			const chained = chainJournal(emptyJournal, [{ ...entry('x'), reason, numbers: values }])
			expect(verifyJournal(JSON.parse(JSON.stringify(chained))).ok).toBe(true)
		}),
		{ numRuns: count(100, 5_000), seed: seed() },
	)
})
