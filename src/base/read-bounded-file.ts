import { constants, open } from 'node:fs/promises'
import { fail, type Result, succeed } from './result.ts'

/**
 * The text of a file of at most so many bytes; null when there is none. Fails with the end of a sentence: `that is no
 * file`. Never rejects.
 */
export async function readBoundedFile(path: string, mostBytes: number): Promise<Result<string | null, string>> {
	try {
		// A pipe would be waited for by one of the few threads that read files, for ever.
		const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
		try {
			const found = await handle.stat()
			if (!found.isFile()) return fail('that is no file')
			if (found.size > mostBytes) return fail(`of more than ${mostBytes / 1024} KiB`)
			const bytes = Buffer.alloc(mostBytes + 1)
			const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
			if (bytesRead > mostBytes) return fail('that grows')
			return succeed(bytes.toString('utf8', 0, bytesRead))
		} finally {
			await handle.close()
		}
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
		if (code === 'ENOENT' || code === 'ENOTDIR') return succeed(null)
		return fail(`that cannot be read (${code})`)
	}
}
