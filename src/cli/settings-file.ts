import { existsSync, readFileSync, statSync } from 'node:fs'
import { load, YAMLException } from 'js-yaml'
import { limits } from '#base/limits.ts'
import { nearestName } from '#base/nearest-name.ts'
import { fail, type Result, succeed } from '#base/result.ts'

// sluice.yaml: settings of the daemon, one key each. It lies where the daemon is started, or where --config says.

export type SettingsFile = { readonly path: string; readonly text: string }

export const settingsFileName = 'sluice.yaml'

/** The file that was named, which must be there, or the one in the working directory, if there is one. */
export function readSettingsFile(named: string | null): Result<SettingsFile | null, string> {
	const path = named ?? settingsFileName
	if (named === null && !existsSync(path)) return succeed(null)
	try {
		if (statSync(path).size > limits.cliSettingsBytes)
			return fail(`${path} is larger than ${limits.cliSettingsBytes} bytes`)
		return succeed({ path, text: readFileSync(path, 'utf8') })
	} catch (error) {
		if (error instanceof Error && 'syscall' in error) return fail(`cannot read ${path}: ${error.message}`)
		throw error
	}
}

export type SettingsInFile = {
	readonly values: ReadonlyMap<string, { readonly value: string; readonly from: string }>
	readonly problems: readonly string[]
}

/** What a settings file says, and each thing in it that is no setting. */
export function settingsInFile(file: SettingsFile | null, names: readonly string[]): SettingsInFile {
	const values = new Map<string, { value: string; from: string }>()
	if (file === null || file.text.replace(/^\s*#.*$/gm, '').trim() === '') return { values, problems: [] }
	const parsed = parse(file)
	if (!parsed.ok) return { values, problems: [parsed.error] }
	const problems: string[] = []
	for (const [name, value] of Object.entries(parsed.value)) {
		const from = `${file.path}:${lineOf(file.text, name)}`
		if (!names.includes(name)) problems.push(describeUnknown(name, from, names))
		else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
			values.set(name, { value: String(value), from })
		else problems.push(`${from}: ${name} has one value, a text`)
	}
	return { values, problems }
}

function parse({ path, text }: SettingsFile): Result<object, string> {
	try {
		const value = load(text)
		if (value === null || typeof value !== 'object' || Array.isArray(value))
			return fail(`${path}: settings are lines of key: value`)
		return succeed(value)
	} catch (error) {
		if (!(error instanceof YAMLException)) throw error
		const line = error.mark?.line === undefined ? '' : `:${error.mark.line + 1}`
		return fail(`${path}${line}: ${error.reason}`)
	}
}

function describeUnknown(name: string, from: string, names: readonly string[]): string {
	const nearest = nearestName(name, names)
	const hint = nearest === null ? `there are ${names.join(', ')}` : `did you mean ${nearest}?`
	return `${from}: unknown setting ${JSON.stringify(name)}: ${hint}`
}

function lineOf(text: string, name: string): number {
	const index = text.split('\n').findIndex((line) => line.replace(/^["']/, '').startsWith(name))
	return index + 1
}
