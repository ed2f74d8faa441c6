import { chmodSync, closeSync, constants, fchmodSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '#base/log.ts'

const databaseName = 'sluice.db'
const reserveName = 'sluice.reserve'

/** The files of a state directory. */
export type StateFiles = { readonly database: string; readonly reserve: string }

/**
 * Makes the directory (0700) and an empty database file (0600, not through a symbolic link) where they are missing,
 * durably. SQLite gives its log the mode of the database. Throws the file system's error.
 */
export function prepareStateDirectory(directory: string, log: Log): StateFiles {
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	closeToOthers(directory, log)
	const files = { database: join(directory, databaseName), reserve: join(directory, reserveName) }
	const database = openSync(files.database, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
	try {
		fchmodSync(database, 0o600)
	} finally {
		closeSync(database)
	}
	syncDirectory(directory)
	return files
}

/** A volume's root may belong to somebody else while we may write to it: that is told, and used. */
function closeToOthers(directory: string, log: Log): void {
	if ((statSync(directory).mode & 0o077) === 0) return
	try {
		chmodSync(directory, 0o700)
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error
		log.warn('store.directory.open', { directory, reason: 'others may enter it, and it belongs to another user' })
	}
}

function syncDirectory(directory: string): void {
	const handle = openSync(directory, 'r')
	try {
		fsyncSync(handle)
	} finally {
		closeSync(handle)
	}
}
