import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Channels } from './channel.ts'
import { sendOrder } from './order.ts'

// The two waits of a stream: for the transport to pass a message on, and for the proxy to answer it. One timer for
// whatever is due first.

export type DeadlinesOptions = {
	readonly clock: Clock
	readonly channels: () => Channels
	/** Nothing was passed on in time. */
	readonly onUnread: () => void
	/** Of these types a response was not answered in time. */
	readonly onOverdue: (typeUrls: readonly TypeUrl[]) => void
}

/** A class for the sake of memory, as the stream is. */
export class Deadlines {
	readonly #options: DeadlinesOptions
	/** In the order of `sendOrder`: when the last response of each type left. */
	readonly #sentMs = sendOrder.map(() => 0)
	/** Messages that the transport has not passed on. */
	unflushed = 0
	/** Since when the transport has passed nothing on of what waits. */
	#unreadSinceMs = 0
	#timer: Timer | null = null

	constructor(options: DeadlinesOptions) {
		this.#options = options
	}

	/** A response left; `arm` is to follow. */
	sent(typeUrl: TypeUrl): void {
		const nowMs = this.#nowMs()
		this.#sentMs[sendOrder.indexOf(typeUrl)] = nowMs
		if (this.unflushed === 0) this.#unreadSinceMs = nowMs
		this.unflushed += 1
	}

	flushed(): void {
		this.unflushed -= 1
		if (this.unflushed > 0) this.#unreadSinceMs = this.#nowMs()
	}

	/** To be called when something may have become due. */
	arm(): void {
		if (this.#timer !== null) return
		const due = this.#unanswered().map(([, dueMs]) => dueMs)
		if (this.unflushed > 0) due.push(this.#unreadSinceMs + limits.xdsSendMs)
		if (due.length === 0) return
		this.#timer = this.#options.clock.setTimer(Math.max(1, Math.min(...due) - this.#nowMs()), () => this.#look())
	}

	cancel(): void {
		this.#timer?.cancel()
	}

	#look(): void {
		const { onUnread, onOverdue } = this.#options
		this.#timer = null
		const nowMs = this.#nowMs()
		if (this.unflushed > 0 && this.#unreadSinceMs + limits.xdsSendMs <= nowMs) return onUnread()
		const overdue = this.#unanswered().filter(([, dueMs]) => dueMs <= nowMs)
		if (overdue.length > 0) onOverdue(overdue.map(([typeUrl]) => typeUrl))
		this.arm()
	}

	/** With the time when each will be overdue. */
	#unanswered(): readonly (readonly [typeUrl: TypeUrl, dueMs: number])[] {
		const channels = this.#options.channels()
		return sendOrder.flatMap((typeUrl, index) => {
			const { underway } = channels[typeUrl]
			const dueMs = (this.#sentMs[index] ?? 0) + limits.xdsAnswerMs
			return underway === null || underway.overdue ? [] : [[typeUrl, dueMs] as const]
		})
	}

	/** Whole, since such numbers take the least room. */
	#nowMs(): number {
		return Math.floor(this.#options.clock.monotonicMs())
	}
}
