import type { Hono } from 'hono'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { DaemonFace } from '#controller/face.ts'
import { answerError } from './answer-error.ts'
import { createEventStream } from './event-stream.ts'
import type { JournalReader } from './journal-reader.ts'

export type EventRouteOptions = {
	readonly face: DaemonFace
	readonly clock: Clock
	readonly journal: JournalReader
	readonly closing: AbortSignal
}

/**
 * `GET /api/v1/events`: the journal as it grows, as server-sent events whose id is the record's sequence. Goes on after
 * `Last-Event-ID` or `?after=N`; without either, begins with what comes next.
 */
export function addEventRoutes(app: Hono, { face, clock, journal, closing }: EventRouteOptions): void {
	let open = 0
	app.get('/api/v1/events', async (context) => {
		const asked = context.req.header('last-event-id') ?? context.req.query('after')
		if (asked !== undefined && !/^\d{1,15}$/.test(asked)) {
			return answerError(context, 'BAD_REQUEST', 'Last-Event-ID is the sequence of a record of the journal')
		}
		if (open >= limits.apiEventStreams) {
			return answerError(context, 'TOO_MANY', `${limits.apiEventStreams} event streams are open already`)
		}
		const head = await journal.head()
		// A number from another store's journal would wait for ever.
		const after = asked === undefined ? head : Math.min(Number(asked), head)
		open += 1
		const stream = createEventStream({ face, clock, after, closing, onEnd: () => (open -= 1) })
		return context.body(stream, 200, {
			'content-type': 'text/event-stream; charset=utf-8',
			'x-accel-buffering': 'no',
			// When the stream ends so does the connection: a daemon that stops waits for nobody.
			connection: 'close',
		})
	})
}
