import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { verifyJournal } from '#store/journal-chain.ts'
import type { JournalEntry, Store, StoreTransaction } from '#store/store.ts'

/** How the suite gets at the store it judges. `reopen` closes it and opens the same content again. */
export type StoreUnderTest = { store: Store; reopen(): Promise<Store>; dispose(): Promise<void> }

/** What every store promises (store/store.ts), as tests. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
	describe(`a store: ${name}`, () => {
		let subject: StoreUnderTest
		let store: Store
		let epoch: number

		beforeEach(async () => {
			subject = await open()
			store = subject.store
			epoch = await takeEpoch(store)
		})
		afterEach(() => subject.dispose())

		function transaction(part: Partial<StoreTransaction>): StoreTransaction {
			return { epoch, state: '{}', journal: [], blobs: new Map(), looks: [], dropLooks: [], dropBlobs: [], ...part }
		}

		test('is empty at first', async () => {
			expect(await store.loadState()).toBeNull()
			expect(await store.readJournal(0, 10)).toEqual([])
			expect(await store.readBlob(sha256Hex('nothing'))).toBeNull()
		})

		test('gives back the last state, also after it was opened again', async () => {
			expect(await store.commit(transaction({ state: '{"a":1}' }))).toEqual({ ok: true, value: null })
			await store.commit(transaction({ state: '{"a":"ü\\u0000💧"}' }))
			expect(await store.loadState()).toBe('{"a":"ü\\u0000💧"}')
			expect(await (await subject.reopen()).loadState()).toBe('{"a":"ü\\u0000💧"}')
		})

		test('numbers and chains the journal over commits and openings', async () => {
			await store.commit(transaction({ journal: [entry('one'), entry('two')] }))
			store = await subject.reopen()
			await store.commit(transaction({ journal: [entry('three')] }))
			const records = await store.readJournal(0, 10)
			expect(records.map((record) => [record.sequence, record.entry.event])).toEqual([
				[1, 'one'],
				[2, 'two'],
				[3, 'three'],
			])
			expect(verifyJournal(records)).toMatchObject({ ok: true, value: { sequence: 3 } })
		})

		test('pages through the journal', async () => {
			const events = ['1', '2', '3', '4', '5']
			await store.commit(transaction({ journal: events.map(entry) }))
			expect((await store.readJournal(0, 2)).map((record) => record.sequence)).toEqual([1, 2])
			expect((await store.readJournal(2, 2)).map((record) => record.sequence)).toEqual([3, 4])
			expect((await store.readJournal(4, 2)).map((record) => record.sequence)).toEqual([5])
			expect(await store.readJournal(5, 2)).toEqual([])
		})

		test('keeps what an entry says, whatever its caller does to it afterwards', async () => {
			const numbers = { nested: { shares: [1, 2.5, null] }, text: 'ü' }
			await store.commit(transaction({ journal: [{ ...entry('kept'), numbers }] }))
			numbers.nested.shares[0] = 99
			const [record] = await store.readJournal(0, 1)
			expect(record?.entry).toEqual({ ...entry('kept'), numbers: { nested: { shares: [1, 2.5, null] }, text: 'ü' } })
		})

		test('keeps content by its hash, once', async () => {
			const bytes = Uint8Array.from([0, 1, 255])
			const hash = sha256Hex(bytes)
			await store.commit(transaction({ blobs: new Map([[hash, bytes]]) }))
			await store.commit(transaction({ blobs: new Map([[hash, bytes]]) }))
			expect(await (await subject.reopen()).readBlob(hash)).toEqual(bytes)
		})

		test('drops content, but not what the same transaction writes', async () => {
			const gone = new TextEncoder().encode('gone')
			const kept = new TextEncoder().encode('kept')
			await store.commit(transaction({ blobs: byHash(gone, kept) }))
			await store.commit(transaction({ blobs: byHash(kept), dropBlobs: [sha256Hex(gone), sha256Hex(kept)] }))
			expect(await store.readBlob(sha256Hex(gone))).toBeNull()
			expect(await store.readBlob(sha256Hex(kept))).toEqual(kept)
		})

		test('keeps the first looks of each rollout, apart from those of others, until they are dropped', async () => {
			const look = (rollout: string, body: string) => ({ rollout, body })
			await store.commit(transaction({ looks: [look('a#1', 'one'), look('b#2', 'other'), look('a#1', 'two')] }))
			const many = Array.from({ length: limits.looksKept }, (_, index) => look('a#1', `${index}`))
			await store.commit(transaction({ looks: many }))
			store = await subject.reopen()
			expect(await store.readLooks('a#1', 0, 2)).toEqual([
				{ sequence: 1, body: 'one' },
				{ sequence: 2, body: 'two' },
			])
			const last = await store.readLooks('a#1', limits.looksKept - 2, 10)
			expect(last.map(({ sequence }) => sequence)).toEqual([limits.looksKept - 1, limits.looksKept])
			epoch = await takeEpoch(store)
			await store.commit(transaction({ dropLooks: ['a#1'], looks: [look('c#3', 'new')] }))
			expect(await store.readLooks('a#1', 0, 10)).toEqual([])
			expect((await store.readLooks('b#2', 0, 10)).map(({ body }) => body)).toEqual(['other'])
			expect((await store.readLooks('c#3', 0, 10)).map(({ body }) => body)).toEqual(['new'])
		})

		test('takes nothing of a transaction with content under a wrong hash', async () => {
			await store.commit(transaction({ state: 'before' }))
			const wrong = new Map([[sha256Hex('other'), new TextEncoder().encode('this')]])
			await expect(store.commit(transaction({ state: 'after', journal: [entry('x')], blobs: wrong }))).rejects.toThrow(
				'its own hash',
			)
			expect(await store.loadState()).toBe('before')
			expect(await store.readJournal(0, 1)).toEqual([])
		})

		test('refuses a writer whose epoch is over', async () => {
			await store.commit(transaction({ state: 'old writer' }))
			const newer = await takeEpoch(store)
			expect(newer).toBeGreaterThan(epoch)
			const late = await store.commit(transaction({ state: 'late', journal: [entry('late')] }))
			expect(late).toMatchObject({ ok: false, error: { code: 'fenced' } })
			expect(await store.loadState()).toBe('old writer')
			expect(await store.readJournal(0, 1)).toEqual([])
			expect(await store.commit(transaction({ epoch: newer, state: 'new writer' }))).toMatchObject({ ok: true })
		})

		test('never gives an epoch twice, also after it was opened again', async () => {
			store = await subject.reopen()
			expect(await takeEpoch(store)).toBeGreaterThan(epoch)
		})

		test('is not used after it was closed', async () => {
			await store.close()
			await store.close()
			await expect(store.loadState()).rejects.toThrow()
			await expect(store.commit(transaction({}))).rejects.toThrow()
		})
	})
}

function entry(event: string): JournalEntry {
	return { wallMs: 1_700_000_000_000, event, rollout: null, actor: 'sluice', reason: 'because', numbers: { n: 1 } }
}

function byHash(...contents: Uint8Array[]): ReadonlyMap<string, Uint8Array> {
	return new Map(contents.map((bytes) => [sha256Hex(bytes), bytes]))
}

async function takeEpoch(store: Store): Promise<number> {
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	return epoch.value
}
