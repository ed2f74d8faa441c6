import type { SourceEvent } from '#source/source.ts'
import type { CoreEvent } from './turn.ts'

export type SourceHealth = {
	readonly kind: 'starting' | 'reachable' | 'unreachable'
	readonly text: string
	/** Wall clock of the last poll that worked. */
	readonly lastSuccessWallMs: number | null
}

export const untriedSource: SourceHealth = { kind: 'starting', text: 'not looked at yet', lastSuccessWallMs: null }

/** What a look at the source says of the source itself. */
export function healthAfter(event: SourceEvent, before: SourceHealth, wallMs: number): SourceHealth {
	if (event.kind !== 'unreachable') return { kind: 'reachable', text: '', lastSuccessWallMs: wallMs }
	return { kind: 'unreachable', text: `${event.code}: ${event.message}`, lastSuccessWallMs: before.lastSuccessWallMs }
}

/** What a look means for the controller; a revision is read first, and unreachability changes nothing. */
export function coreEventOf(event: Exclude<SourceEvent, { kind: 'revision' }>): CoreEvent | null {
	switch (event.kind) {
		case 'unreachable':
			return null
		case 'unchanged':
			return { kind: 'seen', revision: event.id }
		case 'refused': {
			const { revision: info, diagnostics, acceptable } = event
			return { kind: 'refused', info, diagnostics, acceptable }
		}
	}
}
