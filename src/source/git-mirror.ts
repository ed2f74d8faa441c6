import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { GitCommand, GitFailure } from './git-command.ts'
import type { GitTarget } from './git-target.ts'
import type { RevisionInfo } from './revision.ts'
import { toShownLine } from './shown-text.ts'

// A bare copy of one branch. It is a cache, never state: whatever is wrong with it, it is deleted and fetched anew.
// Read by object id only; there is no work tree, so nothing is checked out, filtered or followed.

const headRef = 'refs/sluice/head'

export type TreeEntry = {
	readonly mode: string
	readonly id: string
	/** 0 for what has no size (a submodule). */
	readonly bytes: number
	readonly path: string
}

export type GitMirror = {
	/** The branch's commit at the remote, or null when there is no such branch. */
	askRemote(): Promise<Result<string | null, GitFailure>>
	/** Fetches the branch, which stood at `remoteId`; answers where it stands now. */
	fetchBranch(remoteId: string): Promise<Result<string, GitFailure>>
	/** Whether `id` follows `base`. `unknown`: the mirror has no `base`. */
	compareHistory(base: string, id: string): Promise<Result<'follows' | 'rewritten' | 'unknown', GitFailure>>
	readCommit(id: string): Promise<Result<RevisionInfo, GitFailure>>
	/** Everything below the target's path, in git's order. */
	listTree(id: string): Promise<Result<readonly TreeEntry[], GitFailure>>
	/** The content of these blobs, by one process; in the order asked. */
	readBlobs(entries: readonly TreeEntry[]): Promise<Result<readonly Uint8Array[], GitFailure>>
	/** Throws the copy away; the next fetch starts from nothing. */
	discard(reason: string): Promise<void>
}

export function createGitMirror(options: {
	target: GitTarget
	directory: string
	git: GitCommand
	log: Log
}): GitMirror {
	const { target, directory, git, log } = options
	/**
	 * `unknown`: not looked at yet, or a git was killed in it. `abandoned`: a git that did not end may still write to
	 * it. Otherwise the object format of a repository that was in order.
	 */
	let condition: 'unknown' | 'abandoned' | 'sha1' | 'sha256' = 'unknown'

	function noteCondition<Value>(done: Result<Value, GitFailure>): Result<Value, GitFailure> {
		if (!done.ok && done.error.kind === 'stuck') condition = 'abandoned'
		else if (!done.ok && done.error.kind !== 'exit' && condition !== 'abandoned') condition = 'unknown'
		return done
	}

	async function read(...args: readonly string[]): Promise<Result<string, GitFailure>> {
		return noteCondition(await git.run(args, limits.gitReadDeadlineMs))
	}

	async function discard(reason: string): Promise<void> {
		log.warn('git.mirror.discarded', { reason })
		await rm(directory, { recursive: true, force: true })
		await mkdir(directory, { recursive: true, mode: 0o700 })
		condition = 'unknown'
	}

	/** A repository of the remote's object format, without what a killed git left. */
	async function prepare(remoteId: string): Promise<Result<null, GitFailure>> {
		const wanted = remoteId.length === 64 ? 'sha256' : 'sha1'
		if (condition === wanted) return succeed(null)
		await mkdir(directory, { recursive: true, mode: 0o700 })
		if (condition === 'abandoned') await discard('a git that did not end may still write to it')
		await removeLeftovers(directory, log)
		const format = await read('rev-parse', '--show-object-format')
		if (!format.ok && format.error.kind !== 'exit') return format
		if (!format.ok || format.value.trim() !== wanted) {
			if ((await readdir(directory)).length > 0) await discard('it is no repository that fits')
			const made = await read('init', '--quiet', '--bare', '--template=', `--object-format=${wanted}`)
			if (!made.ok) return made
		}
		condition = wanted
		return succeed(null)
	}

	async function fetchOnce(remoteId: string): Promise<Result<string, GitFailure>> {
		const prepared = await prepare(remoteId)
		if (!prepared.ok) return prepared
		// Never with --depth: a shallow copy cannot tell a fast-forward from a rewrite, and a killed shallow fetch
		// leaves a lock that fails all later ones.
		const options = [
			'--quiet',
			'--no-tags',
			'--no-recurse-submodules',
			'--no-write-fetch-head',
			'--no-auto-maintenance',
		]
		const command = ['fetch', ...options, '--', target.address, `+refs/heads/${target.branch}:${headRef}`]
		const fetched = noteCondition(await git.runRemote(command, limits.gitFetchDeadlineMs))
		if (!fetched.ok) return fetched
		const head = await read('rev-parse', '--verify', `${headRef}^{commit}`)
		return head.ok ? succeed(head.value.trim()) : head
	}

	return {
		async askRemote() {
			await mkdir(directory, { recursive: true, mode: 0o700 })
			const reference = `refs/heads/${target.branch}`
			const command = ['ls-remote', '--exit-code', '--', target.address, reference]
			const asked = await git.runRemote(command, limits.gitAskDeadlineMs)
			if (!asked.ok) {
				// An empty repository and a branch that is gone say nothing: --exit-code tells that from a cut-off answer.
				return asked.error.kind === 'exit' && asked.error.exitCode === 2 ? succeed(null) : asked
			}
			if (!asked.value.endsWith('\n')) return broken('the answer of the remote was cut off')
			// The pattern also fits longer names that end the same way.
			const line = asked.value.split('\n').find((each) => each.endsWith(`\t${reference}`))
			const id = line?.split('\t')[0]
			return succeed(id !== undefined && isObjectId(id) ? id : null)
		},

		async fetchBranch(remoteId) {
			const first = await fetchOnce(remoteId)
			if (first.ok || first.error.kind !== 'exit') return first
			// The remote answered a moment ago: is it our copy that is broken?
			const health = await read('fsck', '--connectivity-only', '--no-dangling', '--no-progress')
			if (health.ok || health.error.kind !== 'exit') return first
			await discard(health.error.text)
			return fetchOnce(remoteId)
		},

		async compareHistory(base, id) {
			if (!isObjectId(base)) return succeed('unknown')
			const compared = await read('merge-base', '--is-ancestor', base, id)
			if (compared.ok) return succeed('follows')
			if (compared.error.kind !== 'exit') return compared
			if (compared.error.exitCode === 1) return succeed('rewritten')
			const known = await read('rev-parse', '--verify', '--quiet', `${base}^{commit}`)
			return !known.ok && known.error.kind === 'exit' && known.error.exitCode === 1 ? succeed('unknown') : compared
		},

		async readCommit(id) {
			const said = await read('log', '--max-count=1', '--no-mailmap', '--format=%an%x00%s%x00%ct', id)
			if (!said.ok) return said
			const [author = '', subject = '', seconds = ''] = said.value.split('\0')
			return succeed({ id, author: toShownLine(author), message: toShownLine(subject), timeMs: Number(seconds) * 1000 })
		},

		async listTree(id) {
			const below = target.path === '' ? [] : ['--', `${target.path}/`]
			const listed = await read('ls-tree', '-r', '-l', '-z', '--full-tree', id, ...below)
			return listed.ok ? parseTree(listed.value) : listed
		},

		async readBlobs(entries) {
			if (entries.length === 0) return succeed([])
			const input = entries.map((entry) => `${entry.id}\n`).join('')
			const said = await git.readObjects(input, limits.gitReadDeadlineMs)
			return said.ok ? parseBlobs(entries, said.value) : said
		},

		discard,
	}
}

function isObjectId(text: string): boolean {
	return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/** `mode SP type SP id SP+ size TAB path NUL`, repeated: git-ls-tree(1). */
function parseTree(output: string): Result<readonly TreeEntry[], GitFailure> {
	const entries: TreeEntry[] = []
	for (const line of output.split('\0')) {
		if (line === '') continue
		const [, mode, id, size, path] = /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? []
		if (mode === undefined || id === undefined || path === undefined) return broken('its tree cannot be read')
		entries.push({ mode, id, bytes: size === '-' ? 0 : Number(size), path })
	}
	return succeed(entries)
}

/** `id SP blob SP size LF content LF`, repeated: git-cat-file(1). */
function parseBlobs(entries: readonly TreeEntry[], output: Uint8Array): Result<readonly Uint8Array[], GitFailure> {
	const contents: Uint8Array[] = []
	let offset = 0
	for (const { id, bytes } of entries) {
		const header = `${id} blob ${bytes}\n`
		const start = offset + header.length
		const end = start + bytes
		const isWhole = end < output.length && Buffer.from(output.subarray(offset, start)).toString('latin1') === header
		if (!isWhole) return broken(`object ${id} cannot be read`)
		// A copy: a view would keep the output of the whole revision alive.
		contents.push(Uint8Array.from(output.subarray(start, end)))
		offset = end + 1
	}
	return succeed(contents)
}

function broken(text: string): Result<never, GitFailure> {
	return fail({ kind: 'exit', exitCode: null, text })
}

/** Locks and half-written packs of a killed git. Only ours: one daemon has one mirror, and runs one git at a time. */
async function removeLeftovers(directory: string, log: Log): Promise<void> {
	const removed: string[] = []
	for (const { folder, isRecursive } of leftoverFolders) {
		for (const name of await namesIn(join(directory, folder), isRecursive)) {
			const isLeftover = name.endsWith('.lock') || (folder === 'objects/pack' && name.startsWith('tmp_'))
			if (!isLeftover) continue
			await rm(join(directory, folder, name), { recursive: true, force: true })
			removed.push(join(folder, name))
		}
	}
	if (removed.length > 0) log.warn('git.leftovers.removed', { files: removed.slice(0, limits.refusalFindings) })
}

const leftoverFolders = [
	{ folder: '.', isRecursive: false },
	{ folder: 'refs', isRecursive: true },
	{ folder: 'objects/info', isRecursive: false },
	{ folder: 'objects/pack', isRecursive: false },
] as const

async function namesIn(folder: string, isRecursive: boolean): Promise<readonly string[]> {
	try {
		return await readdir(folder, { recursive: isRecursive })
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
		throw error
	}
}
