import type { Exit } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** What every verb is given. It answers with how it ended; the process's exit code is set from that. */
export type VerbContext = {
	readonly terminal: Terminal
	readonly environment: Readonly<Record<string, string | undefined>>
	readonly version: string
	readonly end: (exit: Exit) => void
}

/** The headings of `--help`: which verbs ask a daemon and which do not. */
export const verbGroups = {
	offline: 'Offline verbs (read files, ask nobody):',
	daemon: 'Daemon verbs (start one, or ask one over its API):',
	other: 'To see it work:',
} as const
