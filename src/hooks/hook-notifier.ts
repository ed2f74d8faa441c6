import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { callInTime } from './call-in-time.ts'
import type { HookNotice, HookObservation, SendHook } from './hook-call.ts'

// What happened, told to those who want to hear of each decision: in order, a few tries for each, and no decision waits
// for it. What nobody takes is dropped and counted, and so is what a daemon had not told when it died.

export type HookNotifier = {
	tell(notice: HookNotice): void
	close(): void
}

export type HookNotifierOptions = {
	readonly send: SendHook
	readonly clock: Clock
	readonly log: Log
	readonly observe: (observation: HookObservation) => void
}

type Queue = {
	readonly waiting: HookNotice[]
	/** Of the call under way. */
	abort: AbortController | null
	timer: Timer | null
}

export function createHookNotifier({ send, clock, log, observe }: HookNotifierOptions): HookNotifier {
	/** By hook and rollout: one that hangs holds up no other. A queue is there as long as something is in it. */
	const queues = new Map<string, Queue>()
	let phase: 'open' | 'closed' = 'open'

	async function call(key: string, queue: Queue, tries: number): Promise<void> {
		const [notice] = queue.waiting
		if (notice === undefined) return void queues.delete(key)
		queue.abort = new AbortController()
		const answer = await callInTime(notice, { send, clock, abort: queue.abort })
		queue.abort = null
		if (phase === 'closed') return
		const { hook } = notice
		observe({ hook: hook.name, point: hook.point, outcome: answer.kind })
		if (answer.kind === 'allow' || tries >= limits.hookNoticeCalls) {
			queue.waiting.shift()
			if (answer.kind !== 'allow') drop(notice, answer.reason)
			return call(key, queue, 1)
		}
		queue.timer = clock.setTimer(limits.hookNoticePauseMs, () => void call(key, queue, tries + 1))
	}

	function drop({ rollout, hook }: HookNotice, reason: string): void {
		log.warn('hook.dropped', { rollout, hook: hook.name, reason })
		observe({ hook: hook.name, point: hook.point, outcome: 'dropped' })
	}

	return {
		tell(notice) {
			if (phase === 'closed') return
			const key = JSON.stringify([notice.rollout, notice.hook])
			const known = queues.get(key)
			if (known !== undefined) {
				if (known.waiting.length < limits.hookNoticesWaiting) known.waiting.push(notice)
				else drop(notice, `${known.waiting.length} records wait already`)
				return
			}
			const queue: Queue = { waiting: [notice], abort: null, timer: null }
			queues.set(key, queue)
			void call(key, queue, 1)
		},
		close() {
			phase = 'closed'
			for (const { abort, timer } of queues.values()) {
				abort?.abort()
				timer?.cancel()
			}
			queues.clear()
		},
	}
}
