import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { readSecretFile } from '#base/read-secret-file.ts'
import { fail, type Result, succeed } from '#base/result.ts'

// Keys that sign calls of hooks, by the name that a policy gives them. They are read with each call, so that a new one is
// taken up, and are kept nowhere.

export type HookSecrets = {
	/** One key or more. Fails with half a sentence without anything secret. */
	keys(name: string): Promise<Result<readonly Buffer[], string>>
}

export type HookSecretOptions = {
	/** `DIRECTORY/NAME/secret`; null: none. */
	readonly directory: string | null
	/** `SLUICE_HOOK_SECRET_NAME`; `-` in a name is `_`, all capitals. */
	readonly environment: Readonly<Record<string, string | undefined>>
}

export function createHookSecrets({ directory, environment }: HookSecretOptions): HookSecrets {
	return {
		async keys(name) {
			const text =
				environment[`SLUICE_HOOK_SECRET_${name.toUpperCase().replaceAll('-', '_')}`] ??
				(directory === null ? null : await readSecretFile(join(directory, name, 'secret'), limits.hookSecretBytes))
			const keys = (text ?? '').split('\n').map((line) => line.trim())
			const written = keys.filter((line) => line !== '').map(keyOf)
			if (written.length === 0) return fail(`the daemon does not know the secret ${name}`)
			if (written.some((key) => key.length < limits.hookSecretLeastBytes))
				return fail(`the secret ${name} is shorter than ${limits.hookSecretLeastBytes} bytes`)
			return succeed(written)
		},
	}
}

/** Standard Webhooks write a key as `whsec_` and Base64; anything else is taken as it is. */
function keyOf(line: string): Buffer {
	return line.startsWith('whsec_') ? Buffer.from(line.slice('whsec_'.length), 'base64') : Buffer.from(line)
}
