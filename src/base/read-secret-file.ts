import { open } from 'node:fs/promises'

/** Text of a file, without a line break at its end. Null when there is none that can be read, or one too large for a secret. */
export async function readSecretFile(path: string, mostBytes: number): Promise<string | null> {
	try {
		await using file = await open(path)
		const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(mostBytes + 1), position: 0 })
		return bytesRead > mostBytes ? null : buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '')
	} catch {
		return null
	}
}
