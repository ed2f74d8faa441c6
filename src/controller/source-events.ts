import type { ReadOutcome } from '#mesh/mesh.ts'
import type { RevisionInfo } from '#source/revision.ts'
import type { SourceEvent } from '#source/source.ts'
import type { Content } from './content.ts'
import { isUnexpected } from './is-unexpected.ts'
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

/** What came of reading a revision. Its origins are kept with the content. */
export function eventOfReading(info: RevisionInfo, outcome: ReadOutcome, content: Content): CoreEvent {
	if (outcome.kind === 'refused') {
		const { diagnostics } = outcome
		return { kind: 'refused', info, diagnostics, acceptable: isUnexpected(diagnostics) }
	}
	const { mesh, warnings } = outcome
	return { kind: 'read', info, mesh, origins: content.addOrigins(outcome.origins), warnings }
}
