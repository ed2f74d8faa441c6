import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import { readFolder } from '#source/folder-files.ts'
import { createGitCommand, type GitCommand } from '#source/git-command.ts'
import { createGitMirror } from '#source/git-mirror.ts'
import { readGitRevision } from '#source/git-revision.ts'
import { parseGitTarget } from '#source/git-target.ts'
import type { Revision } from '#source/revision.ts'
import { createWorkerReader } from './read-in-worker.ts'
import type { WorkerTask } from './reading-worker.ts'

// What the offline verbs read: a folder as it lies there, or a commit of the Git repository around it. Nothing is
// executed, nothing is written, and the limits are the daemon's.

export type OfflineRead =
	| { readonly kind: 'read'; readonly name: string; readonly files: number; readonly outcome: ReadOutcome }
	/** Not even its files could be had; `message` says why, in words for people. */
	| { readonly kind: 'unreadable'; readonly message: string }

type Expectations = WorkerTask['expectations']

/** Reads the mesh in a folder, edits that are not committed included. */
export async function readOfflineFolder(path: string, expectations: Expectations = 'run'): Promise<OfflineRead> {
	const problem = await findFolderProblem(path)
	if (problem !== null) return { kind: 'unreadable', message: problem }
	for (let tries = 0; tries < limits.folderReadTries; tries += 1) {
		const read = await readFolder(path)
		if (read.kind === 'refused') return { kind: 'read', name: path, files: 0, outcome: read }
		if (read.kind === 'read') return readFiles(path, read.files, expectations)
	}
	return { kind: 'unreadable', message: `${path} does not stop changing` }
}

/** Reads the same folder as it is in a commit: any name that Git knows it by. */
export async function readOfflineCommit(
	path: string,
	reference: string,
	expectations: Expectations = 'run',
): Promise<OfflineRead> {
	const repository = await findRepository(path)
	if (repository === null)
		return { kind: 'unreadable', message: `${path} is in no Git work tree, so ${reference} names nothing` }
	const { git, target, directory } = openRepository(repository)
	const id = await resolveCommit(git, reference)
	if (id === null) return { kind: 'unreadable', message: `${repository.top} has no commit ${reference}` }
	const mirror = createGitMirror({ target, directory, git, log: silentLog })
	const read = await readGitRevision(mirror, target, id)
	if (!read.ok) return { kind: 'unreadable', message: `git cannot read ${reference}: ${read.error.text}` }
	const { refusals, files } = read.value
	if (refusals.length > 0)
		return { kind: 'read', name: reference, files: 0, outcome: { kind: 'refused', diagnostics: refusals } }
	return readFiles(reference, belowPath(files, target.path), expectations)
}

/** Whether a folder lies in a Git work tree that has a commit. */
export async function hasCommit(path: string): Promise<boolean> {
	const repository = await findRepository(path)
	return repository !== null && (await resolveCommit(openRepository(repository).git, 'HEAD')) !== null
}

async function readFiles(
	name: string,
	files: ReadonlyMap<string, Uint8Array>,
	expectations: Expectations,
): Promise<OfflineRead> {
	const reader = createWorkerReader({ clock: systemClock, log: silentLog })
	const revision: Revision = { id: name, author: '', message: '', timeMs: 0, files }
	const outcome = await reader.read(revision, expectations)
	await reader.close()
	return { kind: 'read', name, files: files.size, outcome }
}

async function findFolderProblem(path: string): Promise<string | null> {
	try {
		return (await stat(path)).isDirectory() ? null : `${path} is a file: give the folder that holds the mesh`
	} catch (error) {
		if (error instanceof Error && 'syscall' in error) return `cannot read ${path}: ${error.message}`
		throw error
	}
}

/** A work tree's top folder, the directory of its repository, and the folder asked for, below the top. */
type Repository = { readonly top: string; readonly directory: string; readonly path: string }

async function findRepository(path: string): Promise<Repository | null> {
	const folder = resolve(path)
	for (let top = folder; ; top = dirname(top)) {
		const directory = await repositoryAt(top)
		if (directory !== null) return { top, directory, path: relative(top, folder).split(sep).join('/') }
		if (top === dirname(top)) return null
	}
}

/** `.git` is a folder, or in a linked work tree a file that names one: https://git-scm.com/docs/gitrepository-layout */
async function repositoryAt(top: string): Promise<string | null> {
	const place = join(top, '.git')
	try {
		if ((await stat(place)).isDirectory()) return place
		const named = /^gitdir: (.+)$/m.exec(await readFile(place, 'utf8'))?.[1]
		if (named === undefined) return null
		return isAbsolute(named) ? named : join(top, named)
	} catch (error) {
		if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
		throw error
	}
}

function openRepository({ top, directory, path }: Repository) {
	// The branch plays no part: commits are read by their id.
	const parsed = parseGitTarget({ url: top, branch: 'HEAD', path })
	assert(parsed.ok, 'a folder on this machine is a Git target')
	const git = createGitCommand({
		target: parsed.value,
		mirrorDirectory: directory,
		clock: systemClock,
		ambient: process.env,
	})
	return { git, target: parsed.value, directory }
}

async function resolveCommit(git: GitCommand, reference: string): Promise<string | null> {
	const found = await git.run(
		['rev-parse', '--verify', '--quiet', '--end-of-options', `${reference}^{commit}`],
		limits.gitReadDeadlineMs,
	)
	return found.ok ? found.value.trim() : null
}

/** Paths as the folder itself has them, so that a finding names the same place in both. */
function belowPath(files: ReadonlyMap<string, Uint8Array>, path: string): ReadonlyMap<string, Uint8Array> {
	if (path === '') return files
	return new Map([...files].map(([name, bytes]) => [name.slice(path.length + 1), bytes]))
}
