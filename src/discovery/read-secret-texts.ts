import { constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { SecretTexts } from './parse-secret.ts'

/** The three files of a secret. Fails with half a sentence where one is there and cannot be read. Never rejects. */
export async function readSecretTexts(folder: string): Promise<Result<SecretTexts, string>> {
	const [certificate, privateKey, authorities] = await Promise.all(
		['tls.crt', 'tls.key', 'ca.crt'].map((name) => readText(folder, name)),
	)
	if (certificate === undefined || privateKey === undefined || authorities === undefined) return fail('is not there')
	if (!certificate.ok) return certificate
	if (!privateKey.ok) return privateKey
	if (!authorities.ok) return authorities
	return succeed({ certificate: certificate.value, privateKey: privateKey.value, authorities: authorities.value })
}

/** Null when there is no such file. */
async function readText(folder: string, name: string): Promise<Result<string | null, string>> {
	try {
		// A pipe would be waited for by one of the few threads that read files, for ever.
		const handle = await open(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK)
		try {
			const found = await handle.stat()
			if (!found.isFile()) return fail(`has a ${name} that is no file`)
			const { size } = found
			if (size > limits.secretFileBytes) return fail(`has a ${name} of more than ${limits.secretFileBytes / 1024} KiB`)
			const bytes = Buffer.alloc(limits.secretFileBytes + 1)
			const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
			if (bytesRead > limits.secretFileBytes) return fail(`has a ${name} that grows`)
			return succeed(bytes.toString('utf8', 0, bytesRead))
		} finally {
			await handle.close()
		}
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
		if (code === 'ENOENT' || code === 'ENOTDIR') return succeed(null)
		return fail(`has a ${name} that cannot be read (${code})`)
	}
}
