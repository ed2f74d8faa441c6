import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A real repository with a work tree, as a user has one. */
export type GitRepository = {
	readonly directory: string
	/** Runs git in it; returns what it says, without the last line end. */
	git(args: readonly string[], input?: string | Buffer): string
	/** Writes the files (null deletes one), commits everything, returns the commit's id. */
	commit(files: Readonly<Record<string, string | null>>, message?: string): string
	/** Commits a tree made of such lines of `git mktree` on top of HEAD, whatever the work tree holds. */
	commitTree(lines: readonly string[]): string
	/** The object id of a blob with this content. */
	blob(content: string): string
}

export function createGitRepository(directory: string, initArguments: readonly string[] = []): GitRepository {
	mkdirSync(directory, { recursive: true })
	const environment = {
		PATH: process.env.PATH,
		HOME: directory,
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_CONFIG_GLOBAL: '/dev/null',
		GIT_AUTHOR_NAME: 'Ada Author',
		GIT_AUTHOR_EMAIL: 'ada@example.com',
		GIT_AUTHOR_DATE: '2024-01-02T03:04:05Z',
		GIT_COMMITTER_NAME: 'Carl Committer',
		GIT_COMMITTER_EMAIL: 'carl@example.com',
		GIT_COMMITTER_DATE: '2024-01-02T03:04:06Z',
	}

	function git(args: readonly string[], input: string | Buffer = ''): string {
		const options = { cwd: directory, env: environment, input, maxBuffer: 1 << 26 }
		return execFileSync('git', args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
			.toString()
			.replace(/\n$/, '')
	}

	git(['init', '--quiet', '--initial-branch=main', ...initArguments])
	return {
		directory,
		git,
		commit(files, message = 'Change the mesh') {
			for (const [path, content] of Object.entries(files)) {
				const place = join(directory, path)
				if (content === null) {
					rmSync(place)
				} else {
					mkdirSync(dirname(place), { recursive: true })
					writeFileSync(place, content)
				}
			}
			git(['add', '--all'])
			git(['commit', '--quiet', '--allow-empty', '--message', message])
			return git(['rev-parse', 'HEAD'])
		},
		commitTree(lines) {
			const tree = git(['mktree', '-z', '--missing'], lines.map((line) => `${line}\0`).join(''))
			const commit = git(['commit-tree', tree, '-p', 'HEAD', '-m', 'A tree made by hand'])
			git(['update-ref', 'refs/heads/main', commit])
			return commit
		},
		blob: (content) => git(['hash-object', '-w', '--stdin'], content),
	}
}
