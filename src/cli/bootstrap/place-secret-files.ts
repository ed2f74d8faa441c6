import { rename, writeFile } from 'node:fs/promises'
import { fail, type Result, succeed } from '#base/result.ts'

/** Writes files into folders that are there, each whole or not at all. Fails with what could not be written. */
export async function placeSecretFiles(files: ReadonlyMap<string, string>): Promise<Result<null, string>> {
	for (const [path, text] of files) {
		try {
			await writeFile(`${path}.new`, text)
			await rename(`${path}.new`, path)
		} catch (error) {
			const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
			return fail(`${path} cannot be written (${code}): say with --xds-secrets where it can be`)
		}
	}
	return succeed(null)
}
