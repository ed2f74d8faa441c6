import { compareText, type Diagnostic } from '#base/diagnostic.ts'
import { type Result, succeed } from '#base/result.ts'
import { describeRefusal, findRefusals, isMeshPath, type ListedFile } from './admit-files.ts'
import type { GitFailure } from './git-command.ts'
import type { GitMirror, TreeEntry } from './git-mirror.ts'
import type { GitTarget } from './git-target.ts'
import type { RevisionInfo } from './revision.ts'

/** A commit's content: its files, or what keeps them from being read. */
export type GitRevisionRead = {
	readonly info: RevisionInfo
	/** Empty when there are refusals. */
	readonly files: ReadonlyMap<string, Uint8Array>
	readonly refusals: readonly Diagnostic[]
}

/** Reads the mesh files of commit `id`. The tree is judged by its listing first: no content of a refused commit is read. */
export async function readGitRevision(
	mirror: GitMirror,
	target: GitTarget,
	id: string,
): Promise<Result<GitRevisionRead, GitFailure>> {
	const info = await mirror.readCommit(id)
	if (!info.ok) return info
	const tree = await mirror.listTree(id)
	if (!tree.ok && tree.error.kind === 'tooLarge') {
		// Few objects can unfold to any number of files: a tree may name another one many times.
		const refusal = describeRefusal('SL0005', '', 'the list of its files is longer than any revision may be')
		return succeed({ info: info.value, files: new Map(), refusals: [refusal] })
	}
	if (!tree.ok) return tree
	const entries = tree.value
		.filter((entry) => concernsMesh(entry, target.path))
		.sort((left, right) => compareText(left.path, right.path))
	const refusals = entries.length === 0 ? [refuseEmpty(target)] : findRefusals(entries.map(toListedFile))
	if (refusals.length > 0) return succeed({ info: info.value, files: new Map(), refusals })
	const contents = await mirror.readBlobs(entries)
	if (!contents.ok) return contents
	const files = new Map(contents.value.map((bytes, index) => [entries[index]?.path ?? '', bytes]))
	return succeed({ info: info.value, files, refusals: [] })
}

/** Mesh files by name, and submodules by any name: one could hold mesh files that would silently be missing. */
function concernsMesh(entry: TreeEntry, root: string): boolean {
	const pathBelowRoot = root === '' ? entry.path : entry.path.slice(root.length + 1)
	return entry.mode === '160000' || isMeshPath(pathBelowRoot)
}

function toListedFile({ mode, path, bytes }: TreeEntry): ListedFile {
	switch (mode) {
		case '100644':
		case '100755':
			return { kind: 'plain', path, bytes }
		case '120000':
			return { kind: 'odd', path, because: 'is a symbolic link: only plain files are read' }
		case '160000':
			return {
				kind: 'odd',
				path,
				because: 'is a submodule: keep the mesh in the repository itself, or in another path',
			}
		default:
			return { kind: 'odd', path, because: `has mode ${mode}: only plain files are read` }
	}
}

function refuseEmpty(target: GitTarget): Diagnostic {
	const where = target.path === '' ? 'the repository' : `${target.path}/`
	const hint = 'put the files back, check the path, or accept the empty mesh'
	return describeRefusal('SL0003', '', `${where} holds no *.yaml or *.yml on ${target.branch}`, hint)
}
