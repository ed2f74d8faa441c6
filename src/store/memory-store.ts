import { assert } from '#base/assert.ts'
import { canonicalJson, sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { fail, succeed } from '#base/result.ts'
import { chainJournal, emptyJournal, type JournalHead } from './journal-chain.ts'
import type { JournalRecord, LookRecord, Store, StoreTransaction } from './store.ts'

/** What a memory store holds: plain values, never changed once they are here. */
export type MemorySnapshot = {
	readonly state: string | null
	readonly epoch: number
	readonly journal: readonly JournalRecord[]
	readonly blobs: ReadonlyMap<string, Uint8Array>
	readonly looks: ReadonlyMap<string, readonly LookRecord[]>
}

export type MemoryStore = Store & {
	/** What a crash at this moment would leave: open it again with `createMemoryStore(snapshot)`. */
	snapshot(): MemorySnapshot
}

/**
 * A store that lives as long as its process: for the simulator and for offline verbs. A commit takes effect at the
 * moment of the call, before its promise settles, so a simulated crash falls before or after it, never within.
 */
export function createMemoryStore(from?: MemorySnapshot): MemoryStore {
	let state = from?.state ?? null
	let epoch = from?.epoch ?? 0
	const journal = [...(from?.journal ?? [])]
	const blobs = new Map(from?.blobs)
	const looks = new Map(from?.looks)
	let open = true

	function assertOpen(): void {
		assert(open, 'a closed store is not used')
	}

	function take(transaction: StoreTransaction): void {
		for (const hash of transaction.dropBlobs) blobs.delete(hash)
		for (const [hash, bytes] of transaction.blobs) {
			assert(sha256Hex(bytes) === hash, `content is stored under its own hash, not ${hash}`)
			blobs.set(hash, Uint8Array.from(bytes))
		}
		// A round trip through text, as a database does: what the caller changes later is not what was stored.
		const entries = transaction.journal.map((entry) => JSON.parse(canonicalJson(entry)))
		journal.push(...chainJournal(headOf(journal), entries))
		for (const rollout of transaction.dropLooks) looks.delete(rollout)
		for (const { rollout, body } of transaction.looks) {
			const kept = looks.get(rollout) ?? []
			if (kept.length < limits.looksKept) looks.set(rollout, [...kept, { sequence: kept.length + 1, body }])
		}
		state = transaction.state
	}

	return {
		async loadState() {
			assertOpen()
			return state
		},
		async commit(transaction) {
			assertOpen()
			assert(transaction.epoch <= epoch, 'an epoch is taken with nextEpoch before it is written with')
			if (transaction.epoch < epoch) {
				return fail({ code: 'fenced', message: `epoch ${epoch} writes now; ${transaction.epoch} is over` })
			}
			take(transaction)
			return succeed(null)
		},
		async readBlob(hash) {
			assertOpen()
			const bytes = blobs.get(hash)
			return bytes === undefined ? null : Uint8Array.from(bytes)
		},
		async readJournal(after, limit) {
			assertOpen()
			return journal.slice(after, after + limit)
		},
		async readLooks(rollout, after, limit) {
			assertOpen()
			return (looks.get(rollout) ?? []).slice(after, after + limit)
		},
		async nextEpoch() {
			assertOpen()
			epoch += 1
			return succeed(epoch)
		},
		async close() {
			open = false
		},
		snapshot: () => ({ state, epoch, journal: [...journal], blobs: new Map(blobs), looks: new Map(looks) }),
	}
}

function headOf(journal: readonly JournalRecord[]): JournalHead {
	return journal.at(-1) ?? emptyJournal
}
