/** Collects what a room emits, for a test that awaits it. */
export type EventQueue<Event> = {
	readonly emit: (event: Event) => void
	/** The oldest event that was not taken yet; waits for it. */
	next(): Promise<Event>
	/** What was emitted and not taken. */
	waiting(): readonly Event[]
}

export function createEventQueue<Event>(): EventQueue<Event> {
	const events: Event[] = []
	const takers: ((event: Event) => void)[] = []
	return {
		emit(event) {
			const taker = takers.shift()
			if (taker === undefined) events.push(event)
			else taker(event)
		},
		next() {
			const event = events.shift()
			return event === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(event)
		},
		waiting: () => [...events],
	}
}
