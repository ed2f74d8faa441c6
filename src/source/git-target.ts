import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, type Result, succeed } from '#base/result.ts'

// The operator's words for where the mesh lives, turned into what git is given. Only these come near git's command
// line, never anything a repository says.

export type GitTarget = {
	readonly transport: 'local' | 'https' | 'ssh'
	/** What git is given. Over https without user and password: other processes can read a command line. */
	readonly address: string
	/** What people are shown. */
	readonly shown: string
	/** `Basic …` for the https server, or null. A secret. */
	readonly authorization: string | null
	/** Every text that must not be shown, in each form it may appear in. */
	readonly secrets: readonly string[]
	/** Short name, as in `main`. */
	readonly branch: string
	/** Folder in the repository, without slashes at its ends; empty for all of it. */
	readonly path: string
}

/** Reads the operator's settings. Fails with every problem, in words for them. */
export function parseGitTarget(settings: {
	url: string
	branch: string
	path: string
}): Result<GitTarget, readonly string[]> {
	const remote = parseUrl(settings.url)
	const path = settings.path.replace(/^(\.?\/)+|\/+$|^\.$/g, '')
	const problems = [remote.ok ? null : remote.error, findBranchProblem(settings.branch), findPathProblem(path)]
	const found = problems.filter((problem) => problem !== null)
	if (!remote.ok || found.length > 0) return fail(found)
	return succeed({ ...remote.value, branch: settings.branch, path })
}

type Remote = Omit<GitTarget, 'branch' | 'path'>

function parseUrl(url: string): Result<Remote, string> {
	if (url === '') return fail('the repository is empty: give an https or ssh URL, or a path')
	// `ext::command` and its like run what they name.
	if (/^[^/]*::/.test(url)) return fail('a repository address with `::` is not accepted')
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
	switch (scheme) {
		case 'https':
			return parseHttps(url)
		case 'ssh':
			return parseSsh(url)
		case 'file':
			return parseFileUrl(url)
		case undefined:
			// As in git: a colon before the first slash makes it `host:path`, anything else is a path.
			return /^[^/]+:/.test(url) ? succeed(ssh(url)) : succeed(local(resolve(url)))
		default:
			return fail(`${scheme}:// is not accepted: use https, ssh or a path`)
	}
}

function parseHttps(url: string): Result<Remote, string> {
	if (!URL.canParse(url)) return fail('the repository is not a valid https URL')
	const bare = url.replace(/^(https:\/\/)[^/?#]*@/i, '$1')
	const userInfo = /^https:\/\/([^/?#]*)@/i.exec(url)?.[1]
	if (userInfo === undefined || userInfo === '') {
		return succeed({ transport: 'https', address: bare, shown: bare, authorization: null, secrets: [] })
	}
	const colon = userInfo.indexOf(':')
	const user = colon === -1 ? userInfo : userInfo.slice(0, colon)
	const password = colon === -1 ? '' : userInfo.slice(colon + 1)
	const credentials = Buffer.from(`${decode(user)}:${decode(password)}`).toString('base64')
	// A user without a password is a token.
	const secrets = [...formsOf(password === '' ? user : password), userInfo, credentials]
	return succeed({ transport: 'https', address: bare, shown: bare, authorization: `Basic ${credentials}`, secrets })
}

function parseSsh(url: string): Result<Remote, string> {
	if (!URL.canParse(url)) return fail('the repository is not a valid ssh URL')
	if (new URL(url).password !== '') return fail('ssh takes no password from a URL: use a key')
	return succeed(ssh(url))
}

function parseFileUrl(url: string): Result<Remote, string> {
	const { host } = new URL(url)
	return host === '' ? succeed(local(fileURLToPath(url))) : fail('a file:// URL names no host: file:///path')
}

function ssh(address: string): Remote {
	return { transport: 'ssh', address, shown: address, authorization: null, secrets: [] }
}

function local(address: string): Remote {
	return { transport: 'local', address, shown: address, authorization: null, secrets: [] }
}

function formsOf(raw: string): readonly string[] {
	const decoded = decode(raw)
	return [raw, decoded, encodeURIComponent(decoded), encodeURI(decoded)].filter((form) => form !== '')
}

/** Percent-decoded; a text that is not encoded well is taken as it stands. */
function decode(text: string): string {
	try {
		return decodeURIComponent(text)
	} catch (error) {
		if (error instanceof URIError) return text
		throw error
	}
}

/** A part of git's own grammar for references (git-check-ref-format): plain ASCII, nothing that git could read otherwise. */
function findBranchProblem(branch: string): string | null {
	const segment = '[A-Za-z0-9_][A-Za-z0-9_.+#=-]*'
	const isPlain = new RegExp(`^${segment}(/${segment})*$`).test(branch)
	const isOdd = branch.length > 200 || /\.\.|\.lock(\/|$)|\.(\/|$)/.test(branch)
	return isPlain && !isOdd ? null : `the branch ${JSON.stringify(branch)} is not a plain branch name, as in main`
}

function findPathProblem(path: string): string | null {
	if (path === '') return null
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
	const isOdd = /[\u0000-\u001f\u007f\\]/.test(path) || path.split('/').some((name) => ['', '.', '..'].includes(name))
	return isOdd ? `the path ${JSON.stringify(path)} is not a plain folder inside the repository` : null
}
