import { expect, test } from 'vitest'
import { createJournalReader } from '#api/journal-reader.ts'
import { createMemoryStore } from '#store/memory-store.ts'

async function storeWith(count: number) {
	const store = createMemoryStore()
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	const add = async (more: number) => {
		const journal = Array.from({ length: more }, (_, index) => ({
			wallMs: 0,
			event: `event${index % 2}`,
			rollout: null,
			actor: 'sluice',
			reason: '',
			numbers: {},
		}))
		await store.commit({
			epoch: epoch.value,
			state: '{}',
			journal,
			blobs: new Map(),
			looks: [],
			dropLooks: [],
			dropBlobs: [],
		})
	}
	await add(count)
	let reads = 0
	const readJournal = (after: number, limit: number) => {
		reads += 1
		return store.readJournal(after, limit)
	}
	return { add, reader: createJournalReader({ readJournal }), reads: () => reads }
}

test.for([0, 1, 2, 3, 7, 8, 9, 1000])('the head of a journal of %i', async (count) => {
	const { reader } = await storeWith(count)
	expect(await reader.head()).toBe(count)
})

test('the head moves on, and finding it takes few reads', async () => {
	const { add, reader, reads } = await storeWith(5_000)
	await reader.head()
	await add(3)
	const before = reads()
	expect(await reader.head()).toBe(5_003)
	expect(reads() - before).toBeLessThan(8)
	expect(before).toBeLessThan(40)
})

test('the newest records that somebody wants, oldest first', async () => {
	const { reader } = await storeWith(1_200)
	const found = await reader.newest(1_001, ({ entry }) => entry.event === 'event1')
	expect(found.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 501 }, (_, index) => 200 + 2 * index))
})
