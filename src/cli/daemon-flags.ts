import type { Command } from 'commander'
import { fail, type Result } from '#base/result.ts'
import { resolveSettings, type SettingName, type Settings, settingTable, variableOf } from './settings.ts'
import { readSettingsFile, settingsFileName } from './settings-file.ts'
import type { VerbContext } from './verb.ts'

// Settings as flags of a verb. A daemon verb has one, `--http`; `run` has all.

export type SettingFlags = Readonly<Record<string, unknown>> & { readonly config?: string }

export function addSettingFlags(command: Command, names: readonly SettingName[]): Command {
	for (const { name, placeholder, about, byDefault } of settingTable) {
		if (!names.includes(name)) continue
		command.option(
			`--${name} <${placeholder.toLowerCase()}>`,
			byDefault === null ? about : `${about} (default: ${byDefault})`,
		)
	}
	return command.option('--config <file>', `settings file (default: ${settingsFileName} here, if there is one)`)
}

/** The settings for a verb with these flags; fails with a line for each thing that is wrong. */
export function settingsOf(flags: SettingFlags, { environment }: VerbContext): Result<Settings, readonly string[]> {
	const file = readSettingsFile(flags.config ?? environment[variableOf('config')] ?? null)
	if (!file.ok) return fail([file.error])
	const given = settingTable.flatMap(({ name }) => {
		const value = flags[toCamelCase(name)]
		return typeof value === 'string' ? [[name, value] as const] : []
	})
	return resolveSettings({ flags: Object.fromEntries(given), environment, file: file.value })
}

function toCamelCase(name: string): string {
	return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
