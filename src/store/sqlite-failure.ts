import type { StoreFailure, StoreOpenFailure } from './store.ts'

// What SQLite's and the file system's errors mean for a store: https://sqlite.org/rescode.html

/** Primary result codes: the low byte of an extended one. */
const sqlite = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const

/** The failure of a write, or null for what is a programmer's mistake. */
export function asStoreFailure(error: unknown): StoreFailure | null {
	switch (kindOf(error)) {
		case 'full':
			return { code: 'full', message: `no space for the state: ${textOf(error)}` }
		case 'locked':
		case 'corrupt':
		case 'io':
			return { code: 'io', message: `the state cannot be written: ${textOf(error)}` }
		case null:
			return null
	}
}

/** Why the state directory cannot be opened. Throws what is neither SQLite's nor the file system's error. */
export function asOpenFailure(error: unknown, directory: string): StoreOpenFailure {
	const code = kindOf(error)
	switch (code) {
		case 'locked':
			return {
				code,
				message: `another process uses the state directory ${directory}: stop it, or use another directory`,
			}
		case 'corrupt':
			return {
				code,
				message: `the database in ${directory} is damaged (${textOf(error)}): restore it from a backup, or move it away`,
			}
		case 'full':
			return { code, message: `no space in the state directory ${directory}: ${textOf(error)}` }
		case 'io':
			return { code, message: `the state directory ${directory} cannot be used: ${textOf(error)}` }
		case null:
			throw error
	}
}

type FailureKind = Exclude<StoreOpenFailure['code'], 'newer'>

function kindOf(error: unknown): FailureKind | null {
	if (!(error instanceof Error && 'code' in error)) return null
	if (error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error) return kindOfResultCode(Number(error.errcode) & 0xff)
	if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return 'full'
	return 'syscall' in error ? 'io' : null
}

function kindOfResultCode(resultCode: number): FailureKind | null {
	switch (resultCode) {
		case sqlite.full:
			return 'full'
		case sqlite.busy:
			return 'locked'
		case sqlite.corrupt:
		case sqlite.notADatabase:
			return 'corrupt'
		case sqlite.ioError:
		case sqlite.readOnly:
		case sqlite.cannotOpen:
			return 'io'
		default:
			return null
	}
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}
