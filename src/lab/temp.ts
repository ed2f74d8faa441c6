import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atExit } from './at-exit.ts'

export type TempDirectory = Disposable & {
	readonly path: string
	remove(): void
	/** Leaves it behind for people to look at. */
	keep(): void
}

/** A new, empty directory of this user alone, removed with all it holds at `remove` or when the process ends. */
export function makeTempDirectory(label: string): TempDirectory {
	const path = mkdtempSync(join(tmpdir(), `sluice-${label}-`))
	// A process that was killed a moment ago may still write.
	const erase = () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
	const release = atExit(erase)
	function remove(): void {
		release()
		erase()
	}
	return { path, remove, keep: release, [Symbol.dispose]: remove }
}
