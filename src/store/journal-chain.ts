import { canonicalJson, sha256Hex } from '#base/hash.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { JournalEntry, JournalRecord } from './store.ts'

// The journal's chain of hashes, the same for every store: a record's hash covers the one before it, so that a
// changed, missing or moved record shows. It is evidence of tampering, not a defence against who may rewrite it all.

/** The last record of a chain, as far as the next one needs it. */
export type JournalHead = Pick<JournalRecord, 'sequence' | 'hash'>

/** Where a chain that does not hold breaks first. */
export type JournalBreak = { readonly sequence: number; readonly message: string }

/** What comes before the first record. */
export const emptyJournal: JournalHead = { sequence: 0, hash: '0'.repeat(64) }

/** The records of `entries`, in order, chained to `head`. */
export function chainJournal(head: JournalHead, entries: readonly JournalEntry[]): readonly JournalRecord[] {
	let last = head
	return entries.map((entry) => {
		const record = { sequence: last.sequence + 1, entry, hash: chainHash(last.hash, entry) }
		last = record
		return record
	})
}

/**
 * Checks that `records` follow `previous` without a gap and that every hash covers what it should.
 * Returns the new head, so that a long journal is verified page by page.
 */
export function verifyJournal(
	records: readonly JournalRecord[],
	previous: JournalHead = emptyJournal,
): Result<JournalHead, JournalBreak> {
	let head = previous
	for (const { sequence, entry, hash } of records) {
		const expected = head.sequence + 1
		if (sequence !== expected) {
			return fail({
				sequence: expected,
				message: `record ${expected} is missing: ${sequence} follows ${head.sequence}`,
			})
		}
		if (hash !== chainHash(head.hash, entry)) {
			return fail({ sequence, message: `record ${sequence} was changed, or the one before it` })
		}
		head = { sequence, hash }
	}
	return succeed(head)
}

function chainHash(previousHash: string, entry: JournalEntry): string {
	return sha256Hex(`${previousHash}\n${canonicalJson(entry)}`)
}
