import { expect, test } from 'vitest'
import { createGitEnvironment } from '#source/git-environment.ts'
import { parseGitTarget } from '#source/git-target.ts'

function environment(url: string, ambient: Record<string, string> = {}) {
	const target = parseGitTarget({ url, branch: 'main', path: '' })
	if (!target.ok) throw new Error(target.error.join())
	return createGitEnvironment(target.value, '/mirror', ambient)
}

test('only the transport in use is allowed', () => {
	expect(environment('/srv/a').GIT_ALLOW_PROTOCOL).toBe('file')
	expect(environment('https://example.com/a').GIT_ALLOW_PROTOCOL).toBe('https:ssh')
	expect(environment('git@example.com:a').GIT_ALLOW_PROTOCOL).toBe('https:ssh')
})

test('nothing of the daemon’s environment passes but what is named', () => {
	const ambient = {
		PATH: '/bin',
		SSH_AUTH_SOCK: '/agent',
		HTTPS_PROXY: 'http://proxy',
		SECRET_TOKEN: 'x',
		GIT_CONFIG_GLOBAL: '/evil',
		GIT_DIR: '/evil',
		GIT_ALLOW_PROTOCOL: 'ext',
		GIT_EXEC_PATH: '/evil',
		LD_PRELOAD: '/evil',
	}
	const given = environment('https://example.com/a', ambient)
	expect(given).toMatchObject({ PATH: '/bin', SSH_AUTH_SOCK: '/agent', HTTPS_PROXY: 'http://proxy' })
	expect(given).not.toHaveProperty('SECRET_TOKEN')
	expect(Object.values(given)).not.toContain('/evil')
	expect(given.GIT_ALLOW_PROTOCOL).toBe('https:ssh')
})

test('a password is a header for its own server only', () => {
	expect(environment('https://u:p@example.com:8443/team/a.git')).toMatchObject({
		GIT_CONFIG_COUNT: '1',
		GIT_CONFIG_KEY_0: 'http.https://example.com:8443/.extraHeader',
		GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from('u:p').toString('base64')}`,
	})
	expect(environment('https://example.com/a')).not.toHaveProperty('GIT_CONFIG_COUNT')
})

test('ssh asks nothing, unless the operator brings an ssh', () => {
	expect(environment('git@h:a').GIT_SSH_COMMAND).toContain('BatchMode=yes')
	expect(environment('git@h:a', { GIT_SSH_COMMAND: 'ssh -i key' }).GIT_SSH_COMMAND).toBe('ssh -i key')
})
