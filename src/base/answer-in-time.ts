import type { Clock } from './clock.ts'

export type InTime<Answer> = {
	readonly clock: Clock
	readonly timeoutMs: number
	/** Aborted when the time is up; whoever aborts it earlier gets the late answer at once. */
	readonly abort: AbortController
	readonly late: Answer
}

/** One question that ends with its time, or when it is aborted, whether or not whoever is asked heeds the signal. */
export function answerInTime<Answer>(
	ask: (signal: AbortSignal) => Promise<Answer>,
	{ clock, timeoutMs, abort, late }: InTime<Answer>,
): Promise<Answer> {
	return new Promise((resolve) => {
		const timer = clock.setTimer(timeoutMs, () => abort.abort())
		const end = (answer: Answer) => {
			timer.cancel()
			resolve(answer)
		}
		abort.signal.addEventListener('abort', () => end(late), { once: true })
		void ask(abort.signal).then(end)
	})
}
