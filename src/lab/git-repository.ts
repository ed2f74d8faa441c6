import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { assert } from '#base/assert.ts'
import { LabError } from './lab-error.ts'
import { lastLine, runCommand } from './run-command.ts'
import { makeTempDirectory } from './temp.ts'

/** Paths inside the repository, with `/`, and what they hold. */
export type RepositoryFiles = Readonly<Record<string, string>>

/** A real Git repository with a work tree on branch `main`. Its own identity, and none of this user's Git settings. */
export type GitRepository = Disposable & {
	readonly path: string
	/** Writes the edits (null removes a file), commits all that differs, and gives the commit's id. */
	commit(message: string, edits: Readonly<Record<string, string | null>>): Promise<string>
	/** The commit `main` is at. */
	head(): Promise<string>
	/** Any Git command, for what the above cannot do (rewriting, tags); gives what it prints. */
	git(...parameters: string[]): Promise<string>
	remove(): void
	/** Leaves it behind for people to go on with. */
	keep(): void
}

/** A new repository in a temporary directory, with `files` as its first commit. */
export async function createGitRepository(files: RepositoryFiles): Promise<GitRepository> {
	const directory = makeTempDirectory('repository')
	const { path } = directory
	const git = (...parameters: string[]) => runGit(path, parameters)
	const head = () => git('rev-parse', 'main')
	await git('init', '--quiet', '--initial-branch=main', '--template=')
	await git('config', 'user.name', 'Sluice Lab')
	await git('config', 'user.email', 'lab@sluice.invalid')

	async function commit(message: string, edits: Readonly<Record<string, string | null>>): Promise<string> {
		for (const [file, content] of Object.entries(edits)) await writeEdit(path, file, content)
		await git('add', '--all')
		await git('commit', '--quiet', '--allow-empty', '--no-verify', '-m', message)
		return head()
	}
	await commit('First version', files)
	return { ...directory, commit, head, git, [Symbol.dispose]: directory.remove }
}

/** Every file below a folder, for `createGitRepository`. */
export async function readFiles(folder: string): Promise<RepositoryFiles> {
	const files: Record<string, string> = {}
	for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile()) continue
		const file = join(entry.parentPath, entry.name)
		files[relative(folder, file)] = await readFile(file, 'utf8')
	}
	return files
}

async function writeEdit(root: string, file: string, content: string | null): Promise<void> {
	const target = join(root, file)
	assert(!relative(root, target).startsWith('..'), `${file} is inside the repository`)
	if (content === null) return rm(target)
	await mkdir(dirname(target), { recursive: true })
	await writeFile(target, content)
}

async function runGit(folder: string, parameters: readonly string[]): Promise<string> {
	const outcome = await runCommand('git', parameters, { folder, environment: cleanEnvironment() })
	if (outcome.kind === 'exited' && outcome.code === 0) return outcome.stdout.trim()
	const reason = outcome.kind === 'notStarted' ? outcome.reason : lastLine(outcome.stderr)
	throw new LabError('refused', `git ${parameters.join(' ')}: ${reason}`)
}

/** No hook, signing key, template or alias of this user or system: the same commits on every machine. */
function cleanEnvironment(): NodeJS.ProcessEnv {
	return {
		PATH: process.env.PATH,
		LC_ALL: 'C',
		GIT_CONFIG_GLOBAL: '/dev/null',
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_TERMINAL_PROMPT: '0',
	}
}
