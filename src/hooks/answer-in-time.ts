import type { Clock } from '#base/clock.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { failed, type HookCall, type SendHook } from './hook-call.ts'

export type Timed = { readonly send: SendHook; readonly clock: Clock; readonly abort: AbortController }

/** One call that ends with its timeout, or when it is aborted, whether or not whoever sends it heeds the signal. */
export function answerInTime(call: HookCall, { send, clock, abort }: Timed): Promise<HookAnswer> {
	const { timeoutMs } = call.hook
	return new Promise((resolve) => {
		const timer = clock.setTimer(timeoutMs, () => abort.abort())
		const end = (answer: HookAnswer) => {
			timer.cancel()
			resolve(answer)
		}
		abort.signal.addEventListener('abort', () => end(failed(`no answer within ${timeoutMs / 1000} s`)), { once: true })
		void send(call, abort.signal).then(end)
	})
}
