import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { silentLog } from '#base/log.ts'
import { verifyJournal } from '#store/journal-chain.ts'
import { openSqliteStore } from '#store/sqlite-store.ts'
import type { Store, StoreOpenFailure, StoreTransaction } from '#store/store.ts'

const childProgram = join(import.meta.dirname, 'store-child.ts')
let home: string
let directory: string
let database: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-store-'))
	directory = join(home, 'state')
	database = join(directory, 'sluice.db')
})
afterEach(() => rmSync(home, { recursive: true }))

test('the state is for its owner only', async () => {
	const store = await open()
	await commitState(store, 'x')
	expect(statSync(directory).mode & 0o777).toBe(0o700)
	const files = readdirSync(directory)
	expect(files.toSorted()).toEqual(['sluice.db', 'sluice.db-wal', 'sluice.reserve'])
	for (const file of files) expect([file, statSync(join(directory, file)).mode & 0o777]).toEqual([file, 0o600])
	await store.close()
})

test('a directory that others may enter is closed to them', async () => {
	await (await open()).close()
	chmodSync(directory, 0o755)
	await (await open()).close()
	expect(statSync(directory).mode & 0o777).toBe(0o700)
})

describe('what cannot be opened is refused in words, and left as it is', () => {
	test('a second store on the same directory', async () => {
		const first = await open()
		expect(await openFailure()).toMatchObject({ code: 'locked', message: expect.stringContaining('another process') })
		await commitState(first, 'still works')
		await first.close()
		expect(await (await open()).loadState()).toBe('still works')
	})

	test('a database of a newer Sluice', async () => {
		await (await open()).close()
		edit('PRAGMA user_version = 7')
		expect(await openFailure()).toMatchObject({ code: 'newer', message: expect.stringContaining('schema 7') })
	})

	test('a database of something else', async () => {
		await (await open()).close()
		rmSync(database)
		edit('CREATE TABLE theirs (x)')
		expect(await openFailure()).toMatchObject({ code: 'corrupt', message: expect.stringContaining("not Sluice's") })
	})

	test('a file that is no database', async () => {
		await (await open()).close()
		writeFileSync(database, 'not a database, but long enough to be looked at as one'.repeat(100))
		expect(await openFailure()).toMatchObject({ code: 'corrupt', message: expect.stringContaining('is damaged') })
	})

	test('a database that was cut off', async () => {
		const store = await open()
		await commitState(store, 'x'.repeat(100_000))
		await store.close()
		truncateSync(database, 40_960)
		expect(await openFailure()).toMatchObject({ code: 'corrupt' })
	})

	test('a state that was changed behind its hash', async () => {
		const store = await open()
		await commitState(store, 'right')
		await store.close()
		edit(`UPDATE state SET body = 'wrong'`)
		expect(await openFailure()).toMatchObject({ code: 'corrupt', message: expect.stringContaining('its hash') })
	})

	test('a directory that is a file', async () => {
		writeFileSync(directory, '')
		expect(await openFailure()).toMatchObject({ code: 'io', message: expect.stringContaining(directory) })
	})
})

test('content that was changed behind its hash is not given out', async () => {
	const store = await open()
	const hash = sha256Hex('right')
	await commitState(store, 'x', { blobs: new Map([[hash, new TextEncoder().encode('right')]]) })
	await store.close()
	edit(`UPDATE blobs SET bytes = x'00'`)
	await expect((await open()).readBlob(hash)).rejects.toThrow(hash)
})

test('a database that is full says so, keeps what it has, and goes on when there is room', async () => {
	const store = await open({ maxPages: 40 })
	const epoch = await commitState(store, 'small', { journal: [counted(1)] })
	const large = {
		epoch,
		state: 'l'.repeat(200_000),
		journal: [counted(2)],
		blobs: new Map(),
		looks: [],
		dropLooks: [],
		dropBlobs: [],
	}
	expect(await store.commit(large)).toMatchObject({ ok: false, error: { code: 'full' } })
	expect(readdirSync(directory)).not.toContain('sluice.reserve')
	expect(await store.loadState()).toBe('small')
	expect(await store.readJournal(0, 10)).toHaveLength(1)
	expect(await store.commit({ ...large, state: 'small again' })).toMatchObject({ ok: true })
	expect(readdirSync(directory)).toContain('sluice.reserve')
	await store.close()
	const roomy = await open()
	expect(await commitState(roomy, large.state)).toBe(epoch + 1)
	expect((await roomy.loadState())?.length).toBe(200_000)
	expect(verifyJournal(await roomy.readJournal(0, 10)).ok).toBe(true)
})

test('a process killed among its commits leaves one of them whole, and no lock', { timeout: 30_000 }, async () => {
	for (const commits of [1, 40, 117]) {
		rmSync(directory, { recursive: true, force: true })
		const child = startChild('commit')
		const said = await linesUntil(child, (count) => count >= commits)
		expect(await openFailure()).toMatchObject({ code: 'locked' })
		child.kill('SIGKILL')
		const last = Math.max(...said, ...(await restOf(child)))
		const store = await open()
		const count = Number((await store.loadState())?.split(' ')[0])
		expect([last, last + 1]).toContain(count)
		const records = await store.readJournal(0, 10_000)
		expect(records).toHaveLength(2 * count)
		expect(records.at(-1)?.entry.numbers).toEqual({ count })
		expect(verifyJournal(records).ok).toBe(true)
		expect(await store.readBlob(sha256Hex(`content ${count}`))).not.toBeNull()
		await store.close()
	}
})

// A file system of its own needs a kernel that lets users make one. Where it does not, the reserve's two halves are
// still held by space-reserve.test.ts and the test with maxPages above.
test('on a disk without a free byte the reserve carries some commits, and room brings all back', {
	timeout: 30_000,
}, async () => {
	const script = `mount -t tmpfs -o size=4m tmpfs "$1" 2>/dev/null || { echo '"no mount"'; exit 0; }
		exec "$2" "$3" fill "$1"`
	const run = spawnSync(
		'unshare',
		['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', home, process.execPath, childProgram],
		{ encoding: 'utf8' },
	)
	const said = (run.stdout ?? '').trim().split('\n').filter(Boolean)
	if (said.length === 0 || said[0] === '"no mount"') {
		expect(run.stderr ?? 'unshare: not found').not.toContain('store-child')
		return
	}
	const [released, failure, after] = said.map((line) => JSON.parse(line))
	expect(released).toEqual({ event: 'store.reserve.released' })
	expect(failure).toMatchObject({ failed: 'full' })
	expect(failure.committed).toBeGreaterThan(0)
	expect(failure.state).toBe(String(failure.committed))
	expect(after).toEqual({ after: true })
	expect(run.status).toBe(0)
})

async function open(options: { maxPages?: number } = {}): Promise<Store> {
	const opened = await openSqliteStore({ directory, log: silentLog, ...options })
	if (!opened.ok) throw new Error(opened.error.message)
	return opened.value
}

async function openFailure(): Promise<StoreOpenFailure> {
	const opened = await openSqliteStore({ directory, log: silentLog })
	if (opened.ok) throw new Error('it was opened')
	return opened.error
}

/** Takes a new epoch and commits; returns the epoch. */
async function commitState(store: Store, state: string, part: Partial<StoreTransaction> = {}): Promise<number> {
	const epoch = await store.nextEpoch()
	if (!epoch.ok) throw new Error(epoch.error.message)
	const whole = {
		epoch: epoch.value,
		state,
		journal: [],
		blobs: new Map(),
		looks: [],
		dropLooks: [],
		dropBlobs: [],
		...part,
	}
	const committed = await store.commit(whole)
	if (!committed.ok) throw new Error(committed.error.message)
	return epoch.value
}

function counted(count: number): StoreTransaction['journal'][number] {
	return { wallMs: count, event: 'counted', rollout: null, actor: 'sluice', reason: 'counting', numbers: { count } }
}

function edit(sql: string): void {
	const handle = new DatabaseSync(database)
	handle.exec(sql)
	handle.close()
}

function startChild(mode: 'commit'): ChildProcess {
	return spawn(process.execPath, [childProgram, mode, home], { stdio: ['ignore', 'pipe', 'inherit'] })
}

const readers = new WeakMap<ChildProcess, { lines: number[]; closed: Promise<unknown> }>()

/** The numbers a child says, up to the first that satisfies `isEnough`. */
async function linesUntil(child: ChildProcess, isEnough: (line: number) => boolean): Promise<number[]> {
	if (child.stdout === null) throw new Error('the child has no output')
	const reader = createInterface({ input: child.stdout })
	const lines: number[] = []
	readers.set(child, { lines, closed: once(reader, 'close') })
	await new Promise<void>((resolve, reject) => {
		child.once('exit', () => reject(new Error('the child ended by itself')))
		reader.on('line', (line) => {
			lines.push(Number(line))
			if (isEnough(Number(line))) resolve()
		})
	})
	return lines
}

async function restOf(child: ChildProcess): Promise<number[]> {
	const reader = readers.get(child)
	await reader?.closed
	return reader?.lines ?? []
}
