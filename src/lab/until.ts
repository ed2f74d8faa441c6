import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { LabError } from './lab-error.ts'

export type Deadline = { readonly clock: Clock; readonly deadlineMs: number; readonly what: string }

/** Settles as `promise` does, but rejects with a LabError that names `what` once the deadline has passed. */
export function withDeadline<Value>(promise: Promise<Value>, deadline: Deadline): Promise<Value> {
	return new Promise((resolve, reject) => {
		const timer = deadline.clock.setTimer(deadline.deadlineMs, () => {
			reject(new LabError('deadline', `${deadline.what}: not within ${deadline.deadlineMs} ms`))
		})
		promise.then(resolve, reject).finally(() => timer.cancel())
	})
}

/** Looks every `labPollMs` until `look` gives something other than null, and gives that. Rejects like `withDeadline`. */
export async function until<Value>(deadline: Deadline, look: () => Promise<Value | null>): Promise<Value> {
	const { clock, deadlineMs, what } = deadline
	const end = clock.monotonicMs() + deadlineMs
	for (;;) {
		const seen = await look()
		if (seen !== null) return seen
		if (clock.monotonicMs() >= end) throw new LabError('deadline', `${what}: not within ${deadlineMs} ms`)
		await new Promise<void>((resolve) => clock.setTimer(limits.labPollMs, resolve))
	}
}
