// A process of its own that writes to a SQLite store, for tests that kill it or take its space away.
// Arguments: `commit DIRECTORY` commits until it is killed; `fill DIRECTORY` fills the disk, then commits.
// Each line of standard output is one JSON value.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '#base/hash.ts'
import { silentLog } from '#base/log.ts'
import { openSqliteStore } from '#store/sqlite-store.ts'
import type { Store, StoreTransaction } from '#store/store.ts'

const [mode, directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: store-child.ts commit|fill DIRECTORY')

const log = { ...silentLog, warn: (event: string) => say({ event }) }
const opened = await openSqliteStore({ directory: join(directory, 'state'), log })
if (!opened.ok) throw new Error(opened.error.message)
await (mode === 'fill' ? fillAndCommit(opened.value, directory) : commitForEver(opened.value))

async function commitForEver(store: Store): Promise<never> {
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	for (let count = 1; ; count += 1) {
		const committed = await store.commit(numbered(epoch.value, count))
		if (!committed.ok) throw new Error(committed.error.message)
		say(count)
	}
}

/** Commits on a disk without a free byte, until the reserve is used up as well; then makes room and commits again. */
async function fillAndCommit(store: Store, home: string): Promise<void> {
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	const ballast = join(home, 'ballast')
	let last = 0
	fillDisk(ballast)
	for (let count = 1; count < 10_000; count += 1) {
		const committed = await store.commit(numbered(epoch.value, count))
		if (!committed.ok) {
			say({ failed: committed.error.code, committed: last, state: (await store.loadState())?.split(' ')[0] ?? null })
			break
		}
		last = count
	}
	rmSync(ballast)
	const after = await store.commit(numbered(epoch.value, last + 1))
	say({ after: after.ok })
	await store.close()
}

function fillDisk(path: string): void {
	const file = openSync(path, 'w')
	for (const bytes of [65_536, 4096, 1]) {
		try {
			for (;;) writeSync(file, Buffer.alloc(bytes, 1))
		} catch (error) {
			if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
		}
	}
	closeSync(file)
}

/** The count-th transaction: state, journal and content all name the count. */
function numbered(epoch: number, count: number): StoreTransaction {
	const bytes = new TextEncoder().encode(`content ${count}`)
	return {
		epoch,
		state: `${count} ${'x'.repeat(20_000)}`,
		journal: ['first', 'second'].map((event) => ({
			wallMs: count,
			event: `count.${event}`,
			rollout: null,
			actor: 'sluice',
			reason: 'counting',
			numbers: { count },
		})),
		blobs: new Map([[sha256Hex(bytes), bytes]]),
		looks: [],
		dropLooks: [],
		dropBlobs: [sha256Hex(`content ${count - 2}`)],
	}
}

function say(value: unknown): void {
	// Written at once: what was said before a kill was said.
	writeSync(1, `${JSON.stringify(value)}\n`)
}
