import type { GitTarget } from './git-target.ts'

// The whole environment and configuration that git gets. Nothing of the machine's or the user's git configuration
// takes part, and nothing that a repository holds can make git run a program.

/** What of the daemon's own environment git may see: paths, proxies, certificates, and the operator's way to log in. */
const passedOn = [
	'PATH',
	'HOME',
	'USER',
	'LOGNAME',
	'TMPDIR',
	'SSH_AUTH_SOCK',
	'SSL_CERT_FILE',
	'SSL_CERT_DIR',
	'GIT_SSL_CAINFO',
	'GIT_SSL_CAPATH',
	'GIT_ASKPASS',
	'GIT_SSH_COMMAND',
	'http_proxy',
	'https_proxy',
	'HTTPS_PROXY',
	'all_proxy',
	'ALL_PROXY',
	'no_proxy',
	'NO_PROXY',
] as const

/** Asks nothing, and gives up on a dead connection: ssh outlives a git that is killed. */
const sshCommand = 'ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=10 -o ServerAliveCountMax=3'

/** `ambient` is the daemon's own environment; `mirrorDirectory` the only repository that git is to see. */
export function createGitEnvironment(
	target: GitTarget,
	mirrorDirectory: string,
	ambient: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
	const passed = passedOn.flatMap((name) => {
		const value = ambient[name]
		return value === undefined ? [] : [[name, value] as const]
	})
	return {
		GIT_SSH_COMMAND: sshCommand,
		...Object.fromEntries(passed),
		GIT_DIR: mirrorDirectory,
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_CONFIG_GLOBAL: '/dev/null',
		GIT_TERMINAL_PROMPT: '0',
		// Not by configuration: `-c protocol.ext.allow=always` beats a configured list, this variable it does not.
		GIT_ALLOW_PROTOCOL: target.transport === 'local' ? 'file' : 'https:ssh',
		GIT_LITERAL_PATHSPECS: '1',
		GIT_NO_REPLACE_OBJECTS: '1',
		GIT_NO_LAZY_FETCH: '1',
		GIT_OPTIONAL_LOCKS: '0',
		LC_ALL: 'C',
		...authorizationOf(target),
	}
}

/** The password goes by the environment, which other users cannot read, and to its own server only. */
function authorizationOf(target: GitTarget): Record<string, string> {
	if (target.authorization === null) return {}
	return {
		GIT_CONFIG_COUNT: '1',
		GIT_CONFIG_KEY_0: `http.${new URL(target.address).origin}/.extraHeader`,
		GIT_CONFIG_VALUE_0: `Authorization: ${target.authorization}`,
	}
}

/** Given to every command with `-c`. */
export const gitConfiguration: readonly string[] = [
	'core.hooksPath=/dev/null',
	'gc.auto=0',
	'maintenance.auto=false',
	'fetch.fsckObjects=true',
	'transfer.fsckObjects=true',
	// Harmless marks of old tools, deep in the history of many repositories.
	'fetch.fsck.zeroPaddedFilemode=ignore',
	'fetch.fsck.badTimezone=ignore',
	'fetch.fsck.missingSpaceBeforeDate=ignore',
	'fetch.recurseSubmodules=false',
	'transfer.bundleURI=false',
	'http.followRedirects=false',
	// A server that drips: under 1000 bytes a second for 20 s ends the transfer, and a helper that outlived its git.
	'http.lowSpeedLimit=1000',
	'http.lowSpeedTime=20',
]
