import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Channel } from './channel.ts'
import { sendOrder } from './order.ts'

// The two waits of a stream: for the transport to pass a message on, and for the proxy to answer it. One timer for
// whatever is due first.

export type Deadlines = {
	/** Messages that the transport has not passed on. */
	readonly unflushed: number
	sent(sentMs: number): void
	flushed(): void
	/** To be called when something may have become due. */
	arm(): void
	cancel(): void
}

export type DeadlinesOptions = {
	readonly clock: Clock
	readonly channels: () => Readonly<Record<TypeUrl, Channel>>
	/** The oldest message was not passed on in time. */
	readonly onUnread: () => void
	/** Responses were marked as overdue. */
	readonly onOverdue: () => void
}

export function createDeadlines(options: DeadlinesOptions): Deadlines {
	const { clock, channels } = options
	const unflushedSinceMs: number[] = []
	let timer: Timer | null = null

	function unanswered() {
		return sendOrder.flatMap((typeUrl) => {
			const { underway } = channels()[typeUrl]
			return underway === null || underway.overdue ? [] : [underway]
		})
	}

	function arm(): void {
		if (timer !== null) return
		const due = unanswered().map(({ sentMs }) => sentMs + limits.xdsAnswerMs)
		const oldestMs = unflushedSinceMs[0]
		if (oldestMs !== undefined) due.push(oldestMs + limits.xdsSendMs)
		if (due.length > 0) timer = clock.setTimer(Math.max(1, Math.min(...due) - clock.monotonicMs()), look)
	}

	function look(): void {
		timer = null
		const nowMs = clock.monotonicMs()
		const oldestMs = unflushedSinceMs[0]
		if (oldestMs !== undefined && oldestMs + limits.xdsSendMs <= nowMs) return options.onUnread()
		const overdue = unanswered().filter(({ sentMs }) => sentMs + limits.xdsAnswerMs <= nowMs)
		for (const underway of overdue) underway.overdue = true
		arm()
		if (overdue.length > 0) options.onOverdue()
	}

	return {
		get unflushed() {
			return unflushedSinceMs.length
		},
		sent: (sentMs) => void unflushedSinceMs.push(sentMs),
		flushed: () => void unflushedSinceMs.shift(),
		arm,
		cancel: () => timer?.cancel(),
	}
}
