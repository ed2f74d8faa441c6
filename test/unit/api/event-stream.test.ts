import { beforeEach, describe, expect, test } from 'vitest'
import { createEventStream } from '#api/event-stream.ts'
import { limits } from '#base/limits.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import type { JournalEntry, Store } from '#store/store.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

let clock: ManualClock
let store: Store
let listeners: Set<(entry: JournalEntry) => void>
let closing: AbortController
let ended: number
beforeEach(() => {
	clock = createManualClock()
	store = createMemoryStore()
	listeners = new Set()
	closing = new AbortController()
	ended = 0
})

async function write(...events: string[]): Promise<void> {
	const journal = events.map((event) => ({
		wallMs: 0,
		event,
		rollout: null,
		actor: 'sluice',
		reason: 'a\nb',
		numbers: {},
	}))
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	await store.commit({
		epoch: epoch.value,
		state: '{}',
		journal,
		blobs: new Map(),
		looks: [],
		dropLooks: [],
		dropBlobs: [],
	})
	for (const entry of journal) for (const listen of listeners) listen(entry)
}

function open(after: number) {
	const face = {
		readJournal: (from: number, limit: number) => store.readJournal(from, limit),
		onJournal(listen: (entry: JournalEntry) => void) {
			listeners.add(listen)
			return () => listeners.delete(listen)
		},
	}
	const stream = createEventStream({ face, clock, after, closing: closing.signal, onEnd: () => (ended += 1) })
	const reader = stream.getReader()
	const text = new TextDecoder()
	return { reader, next: async () => text.decode((await reader.read()).value) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what was missed comes at once, with ids to go on from, and one line of data each', async () => {
	await write('one', 'two', 'three')
	const { next } = open(1)
	expect(await next()).toBe('retry: 2000\n\n')
	const text = await next()
	expect(text.match(/^id: .*$/gm)).toEqual(['id: 2', 'id: 3'])
	const data = text.match(/^data: .*$/gm)?.map((line) => JSON.parse(line.slice('data: '.length)))
	expect(data).toMatchObject([
		{ sequence: 2, event: 'two', time: '1970-01-01T00:00:00.000Z', reason: 'a\nb' },
		{ sequence: 3, event: 'three' },
	])
})

test('what happens later comes when it happens', async () => {
	const { next } = open(0)
	await next()
	const coming = next()
	await turn()
	await write('one')
	expect(await coming).toContain('id: 1')
})

test('a pause is filled with heartbeats', async () => {
	const { next } = open(0)
	await next()
	const coming = next()
	await turn()
	clock.advance(limits.apiEventHeartbeatMs)
	expect(await coming).toBe(': heartbeat\n\n')
})

test('a batch is bounded; the rest waits in the store', async () => {
	await write(...Array.from({ length: limits.apiEventBatch + 1 }, (_, index) => `event${index}`))
	const { next } = open(0)
	await next()
	expect((await next()).match(/^id: /gm)).toHaveLength(limits.apiEventBatch)
	expect((await next()).match(/^id: /gm)).toHaveLength(1)
})

describe('it ends, once, and listens no more', () => {
	test('when the reader goes', async () => {
		const { reader } = open(0)
		await reader.cancel()
		expect([ended, listeners.size]).toEqual([1, 0])
	})

	test('when the daemon stops', async () => {
		const { reader, next } = open(0)
		await next()
		const last = reader.read()
		await turn()
		closing.abort()
		expect((await last).done).toBe(true)
		expect([ended, listeners.size]).toEqual([1, 0])
	})

	test('when the reader does not read', async () => {
		await write('one')
		const { reader, next } = open(0)
		await next()
		await turn()
		clock.advance(limits.apiEventStallMs)
		await turn()
		expect([ended, listeners.size]).toEqual([1, 0])
		await expect(reader.read().then(() => reader.read())).rejects.toThrow('too slow')
	})
})
