import type { CoreEvent } from './turn.ts'

// What has happened since the last turn, in order. Of answers about one figure, or of one hook, only the newest is kept: a store that
// hangs must not make a queue of them.

export type Inbox = {
	take(event: CoreEvent): void
	/** All of it; the inbox is empty then. */
	drain(): CoreEvent[]
	/** Of a turn that could not be stored: it comes before what happened since. */
	putBack(events: readonly CoreEvent[]): void
}

export function createInbox(): Inbox {
	let events: CoreEvent[] = []
	return {
		take(event) {
			const older = events.findIndex((other) => isOvertaken(other, event))
			if (older !== -1) events.splice(older, 1)
			events.push(event)
		},
		drain() {
			const drained = events
			events = []
			return drained
		},
		putBack(before) {
			events = [...before.filter((older) => !events.some((newer) => isOvertaken(older, newer))), ...events]
		},
	}
}

function isOvertaken(older: CoreEvent, newer: CoreEvent): boolean {
	if (older.kind === 'measurement' && newer.kind === 'measurement')
		return older.rollout === newer.rollout && older.guard === newer.guard
	if (older.kind !== 'hook' || newer.kind !== 'hook') return false
	// Who has asked for the way back once has it, whatever he says a moment later.
	return older.rollout === newer.rollout && older.hook === newer.hook && older.answer.kind !== 'rollBack'
}
