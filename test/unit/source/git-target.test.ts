import { describe, expect, test } from 'vitest'
import { type GitTarget, parseGitTarget } from '#source/git-target.ts'

type Settings = { url?: string | undefined; branch?: string | undefined; path?: string | undefined }

function parse({ url = '/repository', branch = 'main', path = '' }: Settings) {
	return parseGitTarget({ url, branch, path })
}

function parsed(settings: Settings): GitTarget {
	const target = parse(settings)
	if (!target.ok) throw new Error(target.error.join('; '))
	return target.value
}

describe('a repository', () => {
	test.for([
		['https://example.com/a.git', 'https', 'https://example.com/a.git'],
		['HTTPS://example.com/a.git', 'https', 'HTTPS://example.com/a.git'],
		['ssh://git@example.com:2222/a.git', 'ssh', 'ssh://git@example.com:2222/a.git'],
		['git@example.com:team/a.git', 'ssh', 'git@example.com:team/a.git'],
		['/srv/a', 'local', '/srv/a'],
		['/srv/with:colon', 'local', '/srv/with:colon'],
		['file:///srv/a%20b', 'local', '/srv/a b'],
		['./a', 'local', `${process.cwd()}/a`],
		['--upload-pack=touch canary', 'local', `${process.cwd()}/--upload-pack=touch canary`],
	])('%s goes by %s', ([url, transport, address]) => {
		expect(parsed({ url })).toMatchObject({ transport, address, shown: address, authorization: null, secrets: [] })
	})

	test.for([
		[''],
		['ext::sh -c touch% canary'],
		['http://example.com/a.git'],
		['git://example.com/a.git'],
		['ftp://example.com/a.git'],
		['file://host/srv/a'],
		['https://'],
		['ssh://git:secret@example.com/a.git'],
	])('%j is refused', ([url]) => {
		const refused = parse({ url })
		expect(refused).toMatchObject({ ok: false, error: [expect.any(String)] })
		expect(JSON.stringify(refused)).not.toContain('secret')
	})

	test('with a password gives git the bare address, and a header', () => {
		const target = parsed({ url: 'https://deploy:p%40ss%2Fword@example.com/a.git' })
		expect(target.address).toBe('https://example.com/a.git')
		expect(target.shown).toBe('https://example.com/a.git')
		expect(target.authorization).toBe(`Basic ${Buffer.from('deploy:p@ss/word').toString('base64')}`)
		expect(target.secrets).toEqual(expect.arrayContaining(['p%40ss%2Fword', 'p@ss/word']))
	})

	test('with a user alone takes it for a token', () => {
		const target = parsed({ url: 'https://t0ken%@example.com/a.git' })
		expect(target.address).toBe('https://example.com/a.git')
		expect(target.authorization).toBe(`Basic ${Buffer.from('t0ken%:').toString('base64')}`)
		expect(target.secrets).toContain('t0ken%')
	})

	test('with several @ before its host hides them all', () => {
		const target = parsed({ url: 'https://user:p@ss@example.com/a.git' })
		expect(target.address).toBe('https://example.com/a.git')
		expect(target.secrets).toContain('p@ss')
	})
})

describe('a branch', () => {
	test.for([['main'], ['release/1.x'], ['feature_a+b'], ['a#1=2-3'], ['_']])('%s is taken', ([branch]) => {
		expect(parsed({ branch }).branch).toBe(branch)
	})

	test.for([
		[''],
		['-main'],
		['--upload-pack=x'],
		['a..b'],
		['a.lock'],
		['a.lock/b'],
		['a.'],
		['.a'],
		['a/'],
		['/a'],
		['a//b'],
		['a/-b'],
		['a b'],
		['a:b'],
		['a^'],
		['a~1'],
		['a@{1}'],
		['a*'],
		['a\nb'],
		['ä'],
		['a'.repeat(201)],
	])('%j is refused', ([branch]) => {
		expect(parse({ branch })).toMatchObject({ ok: false, error: [expect.stringContaining('branch')] })
	})
})

describe('a path', () => {
	test.for([
		['', ''],
		['.', ''],
		['/', ''],
		['./', ''],
		['mesh', 'mesh'],
		['/mesh/', 'mesh'],
		['./mesh/apps//', 'mesh/apps'],
		['.config/mesh', '.config/mesh'],
	])('%j means %j', ([path, meant]) => {
		expect(parsed({ path }).path).toBe(meant)
	})

	test.for([['..'], ['a/../b'], ['a//b'], ['a/./b'], ['a\\b'], ['a\u0000']])('%j is refused', ([path]) => {
		expect(parse({ path })).toMatchObject({ ok: false, error: [expect.stringContaining('path')] })
	})
})

test('every problem is told at once', () => {
	expect(parse({ url: '', branch: '', path: '..' })).toMatchObject({ ok: false, error: { length: 3 } })
})
