import { resolve } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { Clock, Timer } from '#base/clock.ts'
import { hashValue, sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { describeRefusal } from './admit-files.ts'
import { type FolderRead, readFolder } from './folder-files.ts'
import { createLookLoop, retryDelayMs } from './look-loop.ts'
import type { Revision, RevisionInfo } from './revision.ts'
import { toShownLine } from './shown-text.ts'
import type { Source, SourceEvent } from './source.ts'

export type FolderSourceOptions = {
	readonly folder: string
	readonly clock: Clock
	readonly log: Log
	readonly emit: (event: SourceEvent) => void
	/** The id that the state was last made from; null before the first. */
	readonly accepted: () => string | null
}

/**
 * Watches a folder. The watcher only says when to look; what counts is what a look reads. A revision is named by its
 * content, so a file that is saved without a change is none.
 */
export function createFolderSource(options: FolderSourceOptions): Source {
	const { clock, log, emit, accepted } = options
	const folder = resolve(options.folder)
	let last = accepted()
	let acceptedId: string | null = null
	let failures = 0
	let watcher: FSWatcher | null = null
	let quiet: { timer: Timer; sinceMs: number } | null = null
	let open = true

	async function look(): Promise<number | null> {
		const event = await findEvent()
		if (event.kind === 'revision') {
			last = event.revision.id
			acceptedId = null
		}
		if (event.kind !== 'unreachable') failures = 0
		if (open) emit(event)
		return event.kind === 'unreachable' ? event.retryInMs : null
	}

	async function findEvent(): Promise<SourceEvent> {
		const read = await readAtRest()
		if (read.kind === 'unreachable') return read
		if (read.kind === 'refused') {
			return { kind: 'refused', revision: null, diagnostics: read.diagnostics, acceptable: false }
		}
		const { files } = read
		const id = `folder:${hashValue([...files].map(([path, bytes]) => [path, sha256Hex(bytes)]))}`
		// What was handed on since may have been refused.
		if (id === accepted()) last = id
		if (id === last) return { kind: 'unchanged', id }
		const info = {
			id,
			author: 'folder',
			message: `${files.size} files in ${toShownLine(folder)}`,
			timeMs: clock.wallMs(),
		}
		if (files.size === 0 && acceptedId !== id) return refuseEmpty(info, folder)
		const revision: Revision = { ...info, files }
		return { kind: 'revision', revision }
	}

	async function readAtRest(): Promise<
		Exclude<FolderRead, { kind: 'changing' }> | Extract<SourceEvent, { kind: 'unreachable' }>
	> {
		try {
			for (let tries = 0; tries < limits.folderReadTries; tries += 1) {
				const read = await readFolder(folder)
				if (read.kind !== 'changing') return read
			}
			return describeUnreachable('it does not stop changing')
		} catch (error) {
			if (!(error instanceof Error && 'syscall' in error)) throw error
			return describeUnreachable(error.message)
		}
	}

	function describeUnreachable(why: string): Extract<SourceEvent, { kind: 'unreachable' }> {
		failures += 1
		// One folder on one machine: nobody else to keep out of step with, so the whole range and no jitter.
		const retryInMs = retryDelayMs(failures, () => 1)
		const message = `cannot read the folder ${toShownLine(folder)}: ${toShownLine(why)}`
		log.warn('folder.look.failed', { message, failures, retryInMs })
		return { kind: 'unreachable', code: 'SL0001', message, retryInMs }
	}

	const loop = createLookLoop({ clock, look })

	/** Looks once the folder is quiet, but not later than a bound after the first sign. */
	function lookSoon(): void {
		if (!open) return
		const nowMs = clock.monotonicMs()
		const sinceMs = quiet?.sinceMs ?? nowMs
		quiet?.timer.cancel()
		const leftMs = Math.max(0, sinceMs + limits.folderQuietAtMostMs - nowMs)
		const timer = clock.setTimer(Math.min(limits.folderQuietMs, leftMs), () => {
			quiet = null
			void loop.poll()
		})
		quiet = { timer, sinceMs }
	}

	return {
		start() {
			// Links are not followed: what they may lead to lies in the folder as well, and is watched there.
			watcher = watch(folder, { ignoreInitial: true, followSymlinks: false, ignored: isGitDirectory })
			watcher.on('all', lookSoon)
			// Changes between the first look and the moment the watch stands are seen by this one.
			watcher.on('ready', lookSoon)
			watcher.on('error', (error) => {
				log.warn('folder.watch.failed', {
					message: toShownLine(error instanceof Error ? error.message : String(error)),
				})
				lookSoon()
			})
			loop.start()
		},
		poll: loop.poll,
		accept(id) {
			acceptedId = id
			log.info('folder.revision.accepted', { id })
			return loop.poll()
		},
		async close() {
			open = false
			quiet?.timer.cancel()
			await watcher?.close()
			await loop.close()
		},
	}
}

/** Git's own files change with every command; no mesh lies there. */
function isGitDirectory(path: string): boolean {
	return /[/\\]\.git(?:[/\\]|$)/.test(path)
}

function refuseEmpty(revision: RevisionInfo, folder: string): SourceEvent {
	const hint = 'put the files back, or accept the empty mesh'
	const message = `${toShownLine(folder)} holds no *.yaml or *.yml`
	return { kind: 'refused', revision, diagnostics: [describeRefusal('SL0003', '', message, hint)], acceptable: true }
}
