import { describe, expect, test } from 'vitest'
import {
	renderSettings,
	resolveSettings,
	type SettingSources,
	type Settings,
	settingTable,
	valueOf,
} from '#cli/settings.ts'

const nothing: SettingSources = { flags: {}, environment: {}, file: null }
const fileOf = (text: string) => ({ path: 'sluice.yaml', text })

function resolve(sources: Partial<SettingSources>): Settings {
	const resolved = resolveSettings({ ...nothing, ...sources })
	if (!resolved.ok) throw new Error(resolved.error.join('\n'))
	return resolved.value
}

function problemsOf(sources: Partial<SettingSources>): readonly string[] {
	const resolved = resolveSettings({ ...nothing, ...sources })
	return resolved.ok ? [] : resolved.error
}

describe('precedence: flag, variable, file, default', () => {
	const environment = { SLUICE_POLL: '2s', SLUICE_LOG_FORMAT: '' }
	const file = fileOf('# mine\npoll: 3s\nbranch: release\n')

	test.for([
		[{ flags: { poll: '1s' }, environment, file }, '1s', 'flag --poll'],
		[{ environment, file }, '2s', 'SLUICE_POLL'],
		[{ file }, '3s', 'sluice.yaml:2'],
		[{}, '30s', 'default'],
	] as const)('%#', ([sources, value, from]) => {
		expect(resolve(sources).poll).toMatchObject({ value, from })
	})

	test('a variable that is set to nothing is not set', () => {
		expect(resolve({ environment })['log-format']).toMatchObject({ value: 'text', from: 'default' })
	})

	test('what has no default is not set', () => {
		expect(resolve({}).repo).toBeNull()
	})
})

test('the documented defaults stay', () => {
	const settings = resolve({})
	const shown = settingTable.map(({ name }) => `${name}=${valueOf(settings, name)}`)
	expect(shown).toEqual([
		'repo=',
		'folder=',
		'branch=main',
		'path=.',
		'poll=30s',
		'state=.sluice',
		'certificates=',
		'metric-sources=',
		'metric-credentials=',
		'hook-receivers=',
		'hook-secrets=',
		'scrape=',
		'xds=127.0.0.1:18000',
		'http=127.0.0.1:8300',
		'xds-tls=',
		'xds-identities=spiffe://*/mesh/{mesh}/{kind}/{name}',
		'xds-tokens=',
		'xds-tokens-plain=no',
		'xds-unproven=no',
		'xds-engine=http2',
		'log-format=text',
		'log-level=info',
	])
})

describe('what is wrong is told with its place, all at once', () => {
	test('an unknown key names the nearest', () => {
		expect(problemsOf({ file: fileOf('branch: main\npol: 3s\n') })).toEqual([
			'sluice.yaml:2: unknown setting "pol": did you mean poll?',
		])
	})

	test('a key like no other lists all', () => {
		expect(problemsOf({ file: fileOf('something: 1') })[0]).toContain('there are repo, folder, branch')
	})

	test('values', () => {
		const problems = problemsOf({
			flags: { poll: 'soon', xds: 'localhost' },
			environment: { SLUICE_LOG_LEVEL: 'loud' },
			file: fileOf('http: 1.2.3.4:99999\npath: [a]\n'),
		})
		expect(problems).toEqual([
			'sluice.yaml:2: path has one value, a text',
			'flag --poll: "soon" is no duration: write 30s, 500ms or 1m30s',
			'flag --xds: "localhost" is no HOST:PORT, as in 127.0.0.1:18000',
			'sluice.yaml:1: "1.2.3.4:99999" is no HOST:PORT, as in 127.0.0.1:18000',
			'SLUICE_LOG_LEVEL: "loud" is none of debug, info, warn, error',
		])
	})

	test.for([
		['a: b: c', /^sluice\.yaml:1: /],
		['- poll', /settings are lines of key: value/],
		['poll: 1s\npoll: 2s', /^sluice\.yaml:2: duplicated mapping key/],
		['poll: *nobody', /^sluice\.yaml:1: /],
	] as const)('YAML: %s', ([text, words]) => {
		expect(problemsOf({ file: fileOf(text) })).toEqual([expect.stringMatching(words)])
	})

	test.for(['', '\n', '# only words\n', '   \n# x\n'])('an empty file is none: %j', (text) => {
		expect(problemsOf({ file: fileOf(text) })).toEqual([])
	})
})

test('--print-config shows value and source, and no password', () => {
	const shown = renderSettings(resolve({ flags: { repo: 'https://ada:s3cret@git.example/mesh.git' } }))
	expect(shown).toMatch(/^repo: "https:\/\/\*\*\*@git\.example\/mesh\.git" +# flag --repo$/m)
	expect(shown).toMatch(/^folder: +# not set$/m)
	expect(shown).toMatch(/^poll: "30s" +# default$/m)
	expect(shown).not.toContain('s3cret')
})
