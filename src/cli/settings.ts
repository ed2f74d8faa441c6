import { fail, type Result, succeed } from '#base/result.ts'
import { engineNames, usualEngine } from '#base/xds-engine-name.ts'
import { parseHostPort } from './parse-address.ts'
import { parseDuration } from './parse-duration.ts'
import { type SettingsFile, settingsInFile } from './settings-file.ts'

// The settings of the daemon: one table, from which the flags, the environment and sluice.yaml are read, in this order
// of precedence. All of them are texts until they are used.

type SettingRow = {
	/** Key in sluice.yaml; the flag is `--KEY`, the variable `SLUICE_KEY`. */
	readonly name: string
	/** What a value looks like, in `--help`. */
	readonly placeholder: string
	readonly about: string
	readonly byDefault: string | null
	/** What is wrong with a value, or null. */
	readonly check: (text: string) => string | null
}

export const settingTable = [
	{
		name: 'repo',
		placeholder: 'URL',
		about: 'Git repository with the mesh: https or ssh URL, or a path',
		byDefault: null,
		check: anything,
	},
	{
		name: 'folder',
		placeholder: 'PATH',
		about: 'plain folder with the mesh, instead of a repository',
		byDefault: null,
		check: anything,
	},
	{
		name: 'branch',
		placeholder: 'NAME',
		about: 'branch of the repository to follow',
		byDefault: 'main',
		check: anything,
	},
	{
		name: 'path',
		placeholder: 'PATH',
		about: 'folder inside the repository that holds the mesh',
		byDefault: '.',
		check: anything,
	},
	{
		name: 'poll',
		placeholder: 'DURATION',
		about: 'how often to look at the repository',
		byDefault: '30s',
		check: checkPoll,
	},
	{
		name: 'state',
		placeholder: 'DIR',
		about: 'state directory: decisions and their journal',
		byDefault: '.sluice',
		check: anything,
	},
	{
		name: 'certificates',
		placeholder: 'DIR',
		about: 'folder of certificates and keys to serve: DIR/NAME/{tls.crt,tls.key,ca.crt}',
		byDefault: null,
		check: anything,
	},
	{
		name: 'metric-sources',
		placeholder: 'URLS',
		about: 'whom threshold guards may ask: http(s)://HOST[:PORT][=CREDENTIALS], with commas between them',
		byDefault: null,
		check: anything,
	},
	{
		name: 'metric-credentials',
		placeholder: 'DIR',
		about: 'folder of what they are shown: DIR/NAME/token, or DIR/NAME/{username,password}',
		byDefault: null,
		check: anything,
	},
	{
		name: 'hook-receivers',
		placeholder: 'URLS',
		about: 'whom hooks may call: http(s)://HOST[:PORT]=SECRET, with commas between them',
		byDefault: null,
		check: anything,
	},
	{
		name: 'hook-secrets',
		placeholder: 'DIR',
		about: 'folder of the secrets that sign these calls: DIR/NAME/secret',
		byDefault: null,
		check: anything,
	},
	{
		name: 'scrape',
		placeholder: 'FILE',
		about: 'Envoys that push no counters, a line each: PROXY HOST:PORT of its admin interface',
		byDefault: null,
		check: anything,
	},
	{
		name: 'xds',
		placeholder: 'HOST:PORT',
		about: 'where Envoys connect',
		byDefault: '127.0.0.1:18000',
		check: checkAddress,
	},
	{
		name: 'http',
		placeholder: 'HOST:PORT',
		about: 'where the API is (loopback only)',
		byDefault: '127.0.0.1:8300',
		check: checkAddress,
	},
	{
		name: 'xds-tls',
		placeholder: 'DIR',
		about: 'folder with the certificate of xDS: DIR/{tls.crt,tls.key}; with DIR/ca.crt proxies must have one too',
		byDefault: null,
		check: anything,
	},
	{
		name: 'xds-identities',
		placeholder: 'URIS',
		about: "how a proxy's name stands in its certificate, with commas between the ways",
		byDefault: 'spiffe://*/mesh/{mesh}/{kind}/{name}',
		check: anything,
	},
	{
		name: 'xds-tokens',
		placeholder: 'FILE',
		about: 'whose token is whose, a line each: mesh/MESH/virtualNode/NAME sha256:HEX',
		byDefault: null,
		check: anything,
	},
	{
		name: 'xds-tokens-plain',
		placeholder: 'YES|NO',
		about: 'yes: take tokens without TLS, on a loopback address',
		byDefault: 'no',
		check: oneOf('yes', 'no', 'true', 'false'),
	},
	{
		name: 'xds-unproven',
		placeholder: 'YES|NO',
		about: 'yes: serve Envoys beyond loopback, though nothing proves who they are',
		byDefault: 'no',
		check: oneOf('yes', 'no', 'true', 'false'),
	},
	{
		name: 'xds-engine',
		placeholder: 'ENGINE',
		about: "what speaks HTTP/2 with Envoys: http2 (Node's own) or grpc-js",
		byDefault: usualEngine,
		check: oneOf(...engineNames),
	},
	{ name: 'log-format', placeholder: 'FORMAT', about: 'text or json', byDefault: 'text', check: oneOf('text', 'json') },
	{
		name: 'log-level',
		placeholder: 'LEVEL',
		about: 'debug, info, warn or error',
		byDefault: 'info',
		check: oneOf('debug', 'info', 'warn', 'error'),
	},
] as const satisfies readonly SettingRow[]

export type SettingName = (typeof settingTable)[number]['name']

/** A value, and where it comes from: `flag`, `SLUICE_POLL`, `sluice.yaml:3`, `default`. */
export type Setting = { readonly value: string; readonly from: string; readonly rank: number }
export type Settings = Readonly<Record<SettingName, Setting | null>>

export type SettingSources = {
	/** Of the command line, by name. */
	readonly flags: Readonly<Partial<Record<SettingName, string>>>
	readonly environment: Readonly<Record<string, string | undefined>>
	readonly file: SettingsFile | null
}

/** The settings in force, or everything that is wrong with them. */
export function resolveSettings({ flags, environment, file }: SettingSources): Result<Settings, readonly string[]> {
	const inFile = settingsInFile(
		file,
		settingTable.map(({ name }) => name),
	)
	const problems = [...inFile.problems]
	const found = settingTable.map(({ name, byDefault, check }) => {
		const candidates = [
			{ value: flags[name], from: `flag --${name}` },
			{ value: nonEmpty(environment[variableOf(name)]), from: variableOf(name) },
			{ value: inFile.values.get(name)?.value, from: inFile.values.get(name)?.from ?? '' },
			{ value: byDefault ?? undefined, from: 'default' },
		]
		const rank = candidates.findIndex(({ value }) => value !== undefined)
		const { value, from } = candidates[rank] ?? {}
		if (value === undefined || from === undefined) return [name, null] as const
		const problem = check(value)
		if (problem !== null) problems.push(`${from}: ${problem}`)
		return [name, { value, from, rank }] as const
	})
	if (problems.length > 0) return fail(problems)
	return succeed(Object.fromEntries(found) as Record<SettingName, Setting | null>)
}

/** A setting that has a default. */
export function valueOf(settings: Settings, name: SettingName): string {
	return settings[name]?.value ?? ''
}

export function variableOf(name: string): string {
	return `SLUICE_${name.toUpperCase().replaceAll('-', '_')}`
}

/** One line for each setting: value and where it comes from. Nothing secret: a URL is shown without user and password. */
export function renderSettings(settings: Settings): string {
	const lines = settingTable.map(({ name }) => {
		const setting = settings[name]
		return {
			text: setting === null ? `${name}:` : `${name}: ${JSON.stringify(maskUserInfo(setting.value))}`,
			from: setting?.from ?? 'not set',
		}
	})
	const width = Math.max(...lines.map(({ text }) => text.length))
	return lines.map(({ text, from }) => `${text.padEnd(width)}  # ${from}`).join('\n')
}

export function maskUserInfo(text: string): string {
	return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/'"]*@/gi, '$1***@')
}

/** A variable that is set to nothing counts as not set. */
function nonEmpty(text: string | undefined): string | undefined {
	return text === '' ? undefined : text
}

function anything(text: string): string | null {
	return text === '' ? 'must not be empty' : null
}

function checkPoll(text: string): string | null {
	const parsed = parseDuration(text)
	if (!parsed.ok) return parsed.error
	return parsed.value < 1_000 ? 'must be 1s or more' : null
}

function checkAddress(text: string): string | null {
	const parsed = parseHostPort(text)
	return parsed.ok ? null : parsed.error
}

function oneOf(...allowed: readonly string[]): (text: string) => string | null {
	return (text) => (allowed.includes(text) ? null : `${JSON.stringify(text)} is none of ${allowed.join(', ')}`)
}
