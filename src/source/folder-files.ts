import { constants } from 'node:fs'
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { compareText, type Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { describeRefusal, findRefusals, isMeshPath, type ListedFile } from './admit-files.ts'

// Reads the mesh files of a folder as they are at one moment. Links are followed as long as they stay in the folder:
// a mounted ConfigMap is links into a hidden folder that is swapped as a whole.

export type FolderRead =
	| { readonly kind: 'read'; readonly files: ReadonlyMap<string, Uint8Array> }
	| { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
	/** Something changed meanwhile: what was read may be half old, half new. */
	| { readonly kind: 'changing' }

/** A mesh file with where it really lies and a mark that changes when it does. */
type FoundFile = { readonly listed: ListedFile; readonly realPath: string; readonly mark: string }

/** Throws the file system's error when the folder cannot be read; files that come and go meanwhile are `changing`. */
export async function readFolder(folder: string): Promise<FolderRead> {
	const root = await realpath(folder)
	try {
		const before = await listFolder(root)
		const diagnostics = before.kind === 'refused' ? before.diagnostics : findRefusals(before.files.map(toListed))
		if (before.kind === 'refused' || diagnostics.length > 0) return { kind: 'refused', diagnostics }
		const files = new Map<string, Uint8Array>()
		for (const file of before.files) files.set(file.listed.path, await readFile(file))
		const after = await listFolder(await realpath(folder))
		return after.kind === 'listed' && marksOf(after.files) === marksOf(before.files)
			? { kind: 'read', files }
			: { kind: 'changing' }
	} catch (error) {
		if (isGone(error)) return { kind: 'changing' }
		throw error
	}
}

type Listing =
	| { readonly kind: 'listed'; readonly files: readonly FoundFile[] }
	| { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

async function listFolder(root: string): Promise<Listing> {
	const files: FoundFile[] = []
	const odd: Diagnostic[] = []
	let entries = 0

	async function visit(directory: string, path: string, ancestors: readonly string[]): Promise<void> {
		for (const name of await readdir(directory)) {
			entries += 1
			if (entries > limits.folderEntries || name.startsWith('.')) continue
			await visitEntry(join(directory, name), path === '' ? name : `${path}/${name}`, ancestors)
		}
	}

	async function visitEntry(place: string, path: string, ancestors: readonly string[]): Promise<void> {
		const found = await resolveEntry(place, root)
		if (found.kind === 'folder') {
			if (ancestors.includes(found.realPath) || ancestors.length >= limits.folderDepth) {
				odd.push(describeRefusal('SL0006', path, `${path} leads in a circle, or too deep`))
				return
			}
			await visit(found.realPath, path, [...ancestors, found.realPath])
		} else if (found.kind === 'outside' && (found.isFolder || isMeshPath(path))) {
			odd.push(describeRefusal('SL0006', path, `${path} is a link that leads out of the folder`))
		} else if (found.kind === 'file' && isMeshPath(path)) {
			const { realPath, mark, bytes } = found
			files.push({ listed: { kind: 'plain', path, bytes }, realPath, mark: `${path}\0${mark}` })
		} else if (found.kind === 'other' && isMeshPath(path)) {
			const listed = { kind: 'odd', path, because: `${found.because}: only plain files are read` } as const
			files.push({ listed, realPath: place, mark: path })
		}
	}

	await visit(root, '', [root])
	if (entries > limits.folderEntries) {
		odd.push(describeRefusal('SL0005', '', `more than ${limits.folderEntries} files and folders`))
	}
	if (odd.length > 0) return { kind: 'refused', diagnostics: odd.slice(0, limits.refusalFindings) }
	return { kind: 'listed', files: files.sort((left, right) => compareText(left.listed.path, right.listed.path)) }
}

type Entry =
	| { readonly kind: 'folder'; readonly realPath: string }
	| { readonly kind: 'file'; readonly realPath: string; readonly mark: string; readonly bytes: number }
	| { readonly kind: 'outside'; readonly isFolder: boolean }
	| { readonly kind: 'other'; readonly because: string }

async function resolveEntry(place: string, root: string): Promise<Entry> {
	const isLink = (await lstat(place)).isSymbolicLink()
	const realPath = isLink ? await resolveLink(place) : place
	if (realPath === null) return { kind: 'other', because: 'is a link that leads nowhere' }
	const status = await stat(realPath, { bigint: true })
	if (realPath !== root && !realPath.startsWith(root + sep)) return { kind: 'outside', isFolder: status.isDirectory() }
	if (status.isDirectory()) return { kind: 'folder', realPath }
	if (!status.isFile()) return { kind: 'other', because: 'is no file' }
	const mark = [realPath, status.dev, status.ino, status.size, status.mtimeNs, status.ctimeNs].join('\0')
	return { kind: 'file', realPath, mark, bytes: Number(status.size) }
}

async function resolveLink(place: string): Promise<string | null> {
	try {
		return await realpath(place)
	} catch (error) {
		if (isGone(error) || (error instanceof Error && 'code' in error && error.code === 'ELOOP')) return null
		throw error
	}
}

/** At most as many bytes as were listed, from the very file that was listed: no link, no pipe that blocks. */
async function readFile({ realPath, listed }: FoundFile): Promise<Uint8Array> {
	const bytes = listed.kind === 'plain' ? listed.bytes : 0
	const file = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
	try {
		const content = new Uint8Array(bytes)
		let offset = 0
		while (offset < bytes) {
			const { bytesRead } = await file.read(content, offset, bytes - offset, offset)
			if (bytesRead === 0) break
			offset += bytesRead
		}
		return content.subarray(0, offset)
	} finally {
		await file.close()
	}
}

function toListed(file: FoundFile): ListedFile {
	return file.listed
}

function marksOf(files: readonly FoundFile[]): string {
	return files.map((file) => file.mark).join('\n')
}

function isGone(error: unknown): boolean {
	return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
