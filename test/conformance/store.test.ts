import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import { openSqliteStore } from '#store/sqlite-store.ts'
import type { Store } from '#store/store.ts'
import { createFaultyStore } from '../fakes/faulty-store.ts'
import { describeStore } from './store.ts'

describeStore('memory', async () => {
	let store = createMemoryStore()
	return {
		store,
		async reopen() {
			await store.close()
			store = createMemoryStore(store.snapshot())
			return store
		},
		async dispose() {},
	}
})

describeStore('SQLite', async () => {
	const directory = await mkdtemp(join(tmpdir(), 'sluice-store-'))
	let store = await openDirectory(directory)
	return {
		store,
		async reopen() {
			await store.close()
			store = await openDirectory(directory)
			return store
		},
		async dispose() {
			await store.close()
			await rm(directory, { recursive: true })
		},
	}
})

describeStore('faulty, without a fault', async () => {
	let inner = createMemoryStore()
	return {
		store: createFaultyStore(inner, () => null),
		async reopen() {
			await inner.close()
			inner = createMemoryStore(inner.snapshot())
			return createFaultyStore(inner, () => null)
		},
		async dispose() {},
	}
})

async function openDirectory(directory: string): Promise<Store> {
	const opened = await openSqliteStore({ directory, log: silentLog })
	if (!opened.ok) throw new Error(opened.error.message)
	return opened.value
}
