import { DatabaseSync } from 'node:sqlite'
import { assert } from '#base/assert.ts'
import { canonicalJson, sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { chainJournal, emptyJournal, type JournalHead } from './journal-chain.ts'
import { createSpaceReserve, type SpaceReserve, writeWithReserve } from './space-reserve.ts'
import { asOpenFailure, asStoreFailure } from './sqlite-failure.ts'
import { prepareStateDirectory } from './state-directory.ts'
import type { JournalRecord, LookRecord, Store, StoreFailure, StoreOpenFailure, StoreTransaction } from './store.ts'

// The embedded store: one SQLite database in the state directory. The only file that imports node:sqlite.
//
// Write-ahead log with synchronous=FULL: a commit is one append and one fsync, and it survives kill -9 and power loss
// (with a rollback journal FULL would not do: the journal's removal is not synced, https://sqlite.org/pragma.html#pragma_synchronous).
// locking_mode=EXCLUSIVE, set before the first access: no shared-memory file, and one process at a time. The lock is
// the kernel's, so a dead process holds nothing.

const schemaVersion = 1
/** 'SLCE': tells our database from any other. */
const applicationId = 0x534c4345

/** Made by itself where an earlier version has not: looks may be missing, and nothing else depends on them. */
const looksTable = `
	CREATE TABLE IF NOT EXISTS looks (
		rollout TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (rollout, sequence)
	) STRICT, WITHOUT ROWID;
`

const schema = `
	CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
	CREATE TABLE epoch (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
	CREATE TABLE journal (sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
	${looksTable}
	CREATE TABLE blobs (hash TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;
	INSERT INTO epoch (id, value) VALUES (1, 0);
	PRAGMA application_id = ${applicationId};
	PRAGMA user_version = ${schemaVersion};
`

export type SqliteStoreOptions = {
	/** The state directory; made if it is missing. Nothing else should live in it but Sluice's own files. */
	readonly directory: string
	readonly log: Log
	/** Upper bound of the database in pages of 4 KiB; `full` beyond it. Without one the disk is the bound. */
	readonly maxPages?: number
}

/**
 * Opens the state directory, for this process alone. A damaged, foreign or newer database is refused with a message
 * that says what to do, and is left as it is.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Result<Store, StoreOpenFailure>> {
	const { directory, log } = options
	let database: DatabaseSync | null = null
	try {
		const files = prepareStateDirectory(directory, log)
		const reserve = createSpaceReserve({ path: files.reserve, bytes: limits.storeReserveBytes, log })
		database = new DatabaseSync(files.database)
		const refusal = openDatabase(database, files.database, options.maxPages)
		if (refusal !== null) {
			database.close()
			return fail(refusal)
		}
		reserve.hold()
		log.info('store.opened', { directory })
		return succeed(createStore(database, reserve))
	} catch (error) {
		database?.close()
		return fail(asOpenFailure(error, directory))
	}
}

function openDatabase(database: DatabaseSync, path: string, maxPages: number | undefined): StoreOpenFailure | null {
	database.exec(`
		PRAGMA locking_mode = EXCLUSIVE;
		PRAGMA journal_mode = WAL;
		PRAGMA synchronous = FULL;
		PRAGMA fullfsync = ON;
		PRAGMA trusted_schema = OFF;
		PRAGMA journal_size_limit = ${limits.storeLogBytes};
	`)
	if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.trunc(maxPages)}`)
	const version = readPragma(database, 'user_version')
	const application = readPragma(database, 'application_id')
	if (version === 0 && application === 0 && isEmpty(database)) {
		database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`)
		return null
	}
	if (application !== applicationId) return { code: 'corrupt', message: `${path} is a database, but not Sluice's` }
	if (version !== schemaVersion) {
		const way = 'run the Sluice that wrote it, or another state directory'
		return { code: 'newer', message: `${path} has schema ${version}, this Sluice knows ${schemaVersion}: ${way}` }
	}
	const damage = findDamage(database)
	if (damage === null) {
		database.exec(looksTable)
		return null
	}
	return { code: 'corrupt', message: `${path} is damaged (${damage}): restore it from a backup, or move it away` }
}

function isEmpty(database: DatabaseSync): boolean {
	return database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
}

/** SQLite checks the shape of its pages, not their content: the state has a hash of its own. */
function findDamage(database: DatabaseSync): string | null {
	const check = database.prepare('PRAGMA quick_check(1)').get()
	if (check?.quick_check !== 'ok') return String(check?.quick_check)
	const state = database.prepare('SELECT body, hash FROM state').get()
	if (state !== undefined && sha256Hex(String(state.body)) !== state.hash) return 'the state does not match its hash'
	return null
}

function readPragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
	return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}

function createStore(database: DatabaseSync, reserve: SpaceReserve): Store {
	const readState = database.prepare('SELECT body FROM state')
	const writeState = database.prepare('INSERT OR REPLACE INTO state (id, body, hash) VALUES (1, ?, ?)')
	const readEpoch = database.prepare('SELECT value FROM epoch')
	const writeEpoch = database.prepare('UPDATE epoch SET value = ?')
	const readHead = database.prepare('SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1')
	const readRecords = database.prepare(
		'SELECT sequence, entry, hash FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?',
	)
	const writeRecord = database.prepare('INSERT INTO journal (sequence, entry, hash) VALUES (?, ?, ?)')
	const lastLook = database.prepare('SELECT max(sequence) AS sequence FROM looks WHERE rollout = ?')
	const readLook = database.prepare(
		'SELECT sequence, body FROM looks WHERE rollout = ? AND sequence > ? ORDER BY sequence LIMIT ?',
	)
	const writeLook = database.prepare('INSERT INTO looks (rollout, sequence, body) VALUES (?, ?, ?)')
	const dropLook = database.prepare('DELETE FROM looks WHERE rollout = ?')
	const readBytes = database.prepare('SELECT bytes FROM blobs WHERE hash = ?')
	const writeBytes = database.prepare('INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)')
	const dropBytes = database.prepare('DELETE FROM blobs WHERE hash = ?')

	/** All that `work` writes, or nothing. What is no failure of the disk is a programmer's mistake, and thrown. */
	function transact<Value>(work: () => Value): Result<Value, StoreFailure> {
		try {
			database.exec('BEGIN IMMEDIATE')
			const value = work()
			database.exec('COMMIT')
			return succeed(value)
		} catch (error) {
			// On some failures (no space is one) SQLite has rolled back by itself.
			if (database.isTransaction) database.exec('ROLLBACK')
			const failure = asStoreFailure(error)
			if (failure === null) throw error
			return fail(failure)
		}
	}

	function currentEpoch(): number {
		return Number(readEpoch.get()?.value)
	}

	function takeEpoch(): number {
		const epoch = currentEpoch() + 1
		writeEpoch.run(epoch)
		return epoch
	}

	function journalHead(): JournalHead {
		const head = readHead.get()
		return head === undefined ? emptyJournal : { sequence: Number(head.sequence), hash: String(head.hash) }
	}

	function write(transaction: StoreTransaction): null {
		for (const hash of transaction.dropBlobs) dropBytes.run(hash)
		for (const [hash, bytes] of transaction.blobs) {
			assert(sha256Hex(bytes) === hash, `content is stored under its own hash, not ${hash}`)
			writeBytes.run(hash, bytes)
		}
		for (const record of chainJournal(journalHead(), transaction.journal)) {
			writeRecord.run(record.sequence, canonicalJson(record.entry), record.hash)
		}
		for (const rollout of transaction.dropLooks) dropLook.run(rollout)
		for (const { rollout, body } of transaction.looks) {
			const sequence = Number(lastLook.get(rollout)?.sequence ?? 0) + 1
			if (sequence <= limits.looksKept) writeLook.run(rollout, sequence, body)
		}
		writeState.run(transaction.state, sha256Hex(transaction.state))
		return null
	}

	return {
		async loadState() {
			const row = readState.get()
			return row === undefined ? null : String(row.body)
		},
		async commit(transaction) {
			const epoch = currentEpoch()
			assert(transaction.epoch <= epoch, 'an epoch is taken with nextEpoch before it is written with')
			if (transaction.epoch < epoch) {
				return fail({ code: 'fenced', message: `epoch ${epoch} writes now; ${transaction.epoch} is over` })
			}
			return writeWithReserve(() => transact(() => write(transaction)), reserve)
		},
		async readBlob(hash) {
			const row = readBytes.get(hash)
			if (row === undefined) return null
			assert(row.bytes instanceof Uint8Array && sha256Hex(row.bytes) === hash, `content ${hash} is not what was stored`)
			return row.bytes
		},
		async readJournal(after, limit) {
			return readRecords.all(after, limit).map(
				(row): JournalRecord => ({
					sequence: Number(row.sequence),
					entry: JSON.parse(String(row.entry)),
					hash: String(row.hash),
				}),
			)
		},
		async readLooks(rollout, after, limit) {
			return readLook
				.all(rollout, after, limit)
				.map((row): LookRecord => ({ sequence: Number(row.sequence), body: String(row.body) }))
		},
		async nextEpoch() {
			return writeWithReserve(() => transact(takeEpoch), reserve)
		},
		async close() {
			if (database.isOpen) database.close()
		},
	}
}
