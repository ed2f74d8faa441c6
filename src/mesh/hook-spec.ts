/**
 * When a hook is called. `start`, `step` and `promotion` are gates: before the first step, before each step, before the
 * last one; they hold the step until they allow it. `watch`: again and again while canaries have a share. `ended`: when
 * it is over, until somebody has heard it. `event`: with each record of the journal about the rollout.
 */
export type HookPoint = 'start' | 'step' | 'promotion' | 'watch' | 'ended' | 'event'

/** Somebody who is told of a rollout, or asked whether it may go on. Who may be called is up to the daemon. */
export type HookSpec = {
	/** Unique in its policy. */
	readonly name: string
	readonly point: HookPoint
	readonly url: string
	/** What the daemon knows the secret by that signs each call. */
	readonly secret: string
	/** One call. */
	readonly timeoutMs: number
	/** From one answer to the next call. */
	readonly intervalMs: number
}
