import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { callInTime } from './call-in-time.ts'
import type { HookCall, HookEvent, HookObservation, SendHook } from './hook-call.ts'

// Each hook that a rollout waits for, called again and again until nobody wants to know any more. No call waits for
// another one.

export type HookCaller = {
	/** These and no others. One that was called before about the same goes on where it was. */
	follow(calls: readonly HookCall[]): void
	close(): void
}

export type HookCallerOptions = {
	readonly send: SendHook
	readonly clock: Clock
	readonly random: Random
	readonly emit: (event: HookEvent) => void
	readonly observe: (observation: HookObservation) => void
}

type Entry = {
	/** With what is known now. */
	call: HookCall
	timer: Timer | null
	abort: AbortController | null
	/** Since the last answer. */
	failures: number
	state: 'followed' | 'dropped'
}

export function createHookCaller({ send, clock, random, emit, observe }: HookCallerOptions): HookCaller {
	const entries = new Map<string, Entry>()

	function wait(entry: Entry, delayMs: number): void {
		entry.timer = clock.setTimer(delayMs, () => void ask(entry))
	}

	async function ask(entry: Entry): Promise<void> {
		const { call } = entry
		const abort = new AbortController()
		entry.abort = abort
		const answer = await callInTime(call, { send, clock, abort })
		entry.abort = null
		if (entry.state === 'dropped') return
		entry.failures = answer.kind === 'failed' ? entry.failures + 1 : 0
		observe({ hook: call.hook.name, point: call.hook.point, outcome: answer.kind })
		if (isWorthTelling(entry, answer))
			emit({ kind: 'hook', rollout: call.rollout, hook: call.hook.name, call: call.id, step: call.step, answer })
		wait(entry, entry.call.step === call.step ? pauseAfter(entry) : 0)
	}

	/** Nobody asks in step with others. Of an end that nobody hears the pauses double up. */
	function pauseAfter({ call: { hook }, failures }: Entry): number {
		const doubled = hook.point === 'ended' ? hook.intervalMs * 2 ** Math.max(0, failures - 1) : hook.intervalMs
		return Math.min(doubled, Math.max(hook.intervalMs, limits.hookEndedPauseMs)) * (0.9 + 0.2 * random())
	}

	/** Of another step nobody has said anything: it is asked about at once, when the call under way has ended. */
	function renew(entry: Entry, call: HookCall): void {
		const isSame = entry.call.step === call.step
		entry.call = call
		if (isSame || entry.abort !== null) return
		entry.timer?.cancel()
		wait(entry, 0)
	}

	function drop(entry: Entry): void {
		entry.state = 'dropped'
		entry.timer?.cancel()
		entry.abort?.abort()
	}

	return {
		follow(calls) {
			const named = new Map(calls.map((call) => [keyOf(call), call]))
			for (const [key, entry] of entries) {
				if (named.has(key)) continue
				drop(entry)
				entries.delete(key)
			}
			for (const [key, call] of named) {
				const followed = entries.get(key)
				if (followed !== undefined) {
					renew(followed, call)
					continue
				}
				const entry: Entry = { call, timer: null, abort: null, failures: 0, state: 'followed' }
				entries.set(key, entry)
				wait(entry, 0)
			}
		},
		close() {
			for (const entry of entries.values()) drop(entry)
			entries.clear()
		},
	}
}

/** The end is told until somebody has heard it; that it is not heard is worth telling when that is given up. */
function isWorthTelling({ call: { hook }, failures }: Entry, answer: HookAnswer): boolean {
	return hook.point !== 'ended' || answer.kind !== 'failed' || failures >= limits.hookEndedCalls
}

/** Whoever is called otherwise by now is another one. */
function keyOf({ rollout, hook, id }: HookCall): string {
	return JSON.stringify([rollout, hook, id])
}
