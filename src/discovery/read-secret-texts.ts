import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { readBoundedFile } from '#base/read-bounded-file.ts'
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
	const read = await readBoundedFile(join(folder, name), limits.secretFileBytes)
	return read.ok ? read : fail(`has a ${name} ${read.error}`)
}
