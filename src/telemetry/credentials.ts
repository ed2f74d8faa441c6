import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { readSecretFile } from '#base/read-secret-file.ts'
import { fail, type Result, succeed } from '#base/result.ts'

// Secrets for those who are asked, by the name that a policy gives them. They are read each time they are used, so that a
// new one is taken up, and are kept nowhere.

export type Credentials = {
	/** The value of the header `authorization`. Fails with half a sentence without anything secret. */
	authorization(name: string): Promise<Result<string, string>>
}

export type CredentialOptions = {
	/** `DIRECTORY/NAME/token`, or `username` and `password` there; null: none. */
	readonly directory: string | null
	/** `SLUICE_METRIC_TOKEN_NAME`, or `SLUICE_METRIC_PASSWORD_NAME` as `user:password`; `-` in a name is `_`, all capitals. */
	readonly environment: Readonly<Record<string, string | undefined>>
}

export function createCredentials({ directory, environment }: CredentialOptions): Credentials {
	return {
		async authorization(name) {
			const suffix = name.toUpperCase().replaceAll('-', '_')
			const token = environment[`SLUICE_METRIC_TOKEN_${suffix}`]
			if (token) return bearer(name, token)
			const password = environment[`SLUICE_METRIC_PASSWORD_${suffix}`]
			if (password) return succeed(basic(password))
			if (directory === null) return fail(`the daemon does not know the credentials ${name}`)
			return fromFolder(name, join(directory, name))
		},
	}
}

async function fromFolder(name: string, folder: string): Promise<Result<string, string>> {
	const [token, username, password] = await Promise.all(
		['token', 'username', 'password'].map((file) => readSecretFile(join(folder, file), limits.measurementSecretBytes)),
	)
	if (token) return bearer(name, token)
	if (username && password) return succeed(basic(`${username}:${password}`))
	return fail(`the daemon does not know the credentials ${name}`)
}

/** What a header cannot carry would be quoted in the client's error. */
function bearer(name: string, token: string): Result<string, string> {
	return /^[\x21-\x7e]+$/.test(token)
		? succeed(`Bearer ${token}`)
		: fail(`the token of the credentials ${name} is not plain ASCII on one line`)
}

function basic(userAndPassword: string): string {
	return `Basic ${Buffer.from(userAndPassword).toString('base64')}`
}
