import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { DaemonFace } from '#controller/face.ts'
import type { JournalRecord } from '#store/store.ts'

export type EventStreamOptions = {
	readonly face: Pick<DaemonFace, 'readJournal' | 'onJournal'>
	readonly clock: Clock
	/** Sequence of the last record that the reader has. */
	readonly after: number
	readonly closing: AbortSignal
	/** Called once. */
	readonly onEnd: () => void
}

const utf8 = new TextEncoder()

/**
 * The journal after a record, for one reader. Nothing is queued for it: the stream holds one batch, and reads the next
 * from the store when that was taken. A reader that does not take it in time is cut off, and may come back with its id.
 */
export function createEventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
	const { face, clock, closing } = options
	let after = options.after
	let isOpen = true
	let patience: Timer | null = null
	let wake: (() => void) | null = null
	const forget = face.onJournal(() => wake?.())

	function end(): void {
		if (!isOpen) return
		isOpen = false
		patience?.cancel()
		forget()
		closing.removeEventListener('abort', endNow)
		wake?.()
		options.onEnd()
	}

	let endNow = (): void => undefined

	/** The next records; none when it is time for a heartbeat, or over. */
	async function nextBatch(): Promise<readonly JournalRecord[]> {
		const woken = new Promise<void>((resolve) => {
			wake = resolve
		})
		const ready = await face.readJournal(after, limits.apiEventBatch)
		if (ready.length > 0 || !isOpen) return ready
		const pause = clock.setTimer(limits.apiEventHeartbeatMs, () => wake?.())
		await woken
		pause.cancel()
		return isOpen ? face.readJournal(after, limits.apiEventBatch) : []
	}

	return new ReadableStream<Uint8Array>({
		start(controller) {
			endNow = () => {
				end()
				controller.close()
			}
			closing.addEventListener('abort', endNow)
			// How long a browser waits before it comes back; also what makes the headers go out at once.
			controller.enqueue(utf8.encode('retry: 2000\n\n'))
		},
		async pull(controller) {
			patience?.cancel()
			const records = await nextBatch()
			if (!isOpen) return
			after = records.at(-1)?.sequence ?? after
			controller.enqueue(utf8.encode(records.length === 0 ? ': heartbeat\n\n' : records.map(toEvent).join('')))
			patience = clock.setTimer(limits.apiEventStallMs, () => {
				end()
				controller.error(new Error('the reader is too slow'))
			})
		},
		cancel: end,
	})
}

function toEvent({ sequence, entry, hash }: JournalRecord): string {
	const { wallMs, ...rest } = entry
	const told = { sequence, time: new Date(wallMs).toISOString(), ...rest, hash }
	return `id: ${sequence}\nevent: journal\ndata: ${JSON.stringify(told)}\n\n`
}
