import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { createFolderSource } from '#source/folder-source.ts'
import { createGitSource } from '#source/git-source.ts'
import type { Source, SourceEvent } from '#source/source.ts'

export type SourceSettings =
	| {
			readonly kind: 'git'
			readonly url: string
			readonly branch: string
			readonly path: string
			readonly pollMs: number
	  }
	| { readonly kind: 'folder'; readonly folder: string }

export type OpenSourceOptions = {
	readonly clock: Clock
	readonly log: Log
	readonly random: Random
	readonly emit: (event: SourceEvent) => void
	readonly mirrorDirectory: string
	/** The revision that the state was last made from; null before the first. */
	readonly accepted: () => string | null
}

/** The source that the settings name. It does nothing before `start`. */
export function openSource(settings: SourceSettings, options: OpenSourceOptions): Source {
	switch (settings.kind) {
		case 'git': {
			const { url, branch, path, pollMs } = settings
			return createGitSource({ ...options, url, branch, path, pollMs, mirrorDir: options.mirrorDirectory })
		}
		case 'folder':
			return createFolderSource({ ...options, folder: settings.folder })
	}
}
