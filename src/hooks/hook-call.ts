import type { HookPoint, HookSpec } from '#mesh/hook-spec.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'

// The contract between rollouts and the hooks of their policies: who is to be called, about what, and what comes back.

/** What a receiver is told: plain JSON, without the id and the time of the call. */
export type HookSubject = Readonly<Record<string, unknown>>

/** A hook that is to be called until nobody wants to know any more. */
export type HookCall = {
	readonly rollout: string
	readonly hook: HookSpec
	/** The same for each call about the same. */
	readonly id: string
	/** Step in force. */
	readonly step: number
	readonly about: HookSubject
}

/** Something that happened, to be told once. */
export type HookNotice = HookCall

export type HookEvent = {
	readonly kind: 'hook'
	readonly rollout: string
	readonly hook: string
	/** Id of the call, and the step in force when it began. */
	readonly call: string
	readonly step: number
	readonly answer: HookAnswer
}

/** One call, as metrics count it. `dropped`: a notice that nobody took. */
export type HookObservation = {
	readonly hook: string
	readonly point: HookPoint
	readonly outcome: HookAnswer['kind'] | 'dropped'
}

/** One call. Never rejects; holds no secret. */
export type SendHook = (call: HookCall, signal: AbortSignal) => Promise<HookAnswer>

export function failed(reason: string): HookAnswer {
	return { kind: 'failed', reason }
}
