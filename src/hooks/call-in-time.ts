import { answerInTime } from '#base/answer-in-time.ts'
import type { Clock } from '#base/clock.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { failed, type HookCall, type SendHook } from './hook-call.ts'

export type Timed = { readonly send: SendHook; readonly clock: Clock; readonly abort: AbortController }

/** One call that ends with its hook's timeout. */
export function callInTime(call: HookCall, { send, ...timed }: Timed): Promise<HookAnswer> {
	const { timeoutMs } = call.hook
	const late = failed(`no answer within ${timeoutMs / 1000} s`)
	return answerInTime((signal) => send(call, signal), { ...timed, timeoutMs, late })
}
